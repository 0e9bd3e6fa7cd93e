/** kill -9 in the middle of encoding: of each process, then of everything at once. Nothing is lost, doubled or left behind. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { judge } from "./judge.ts"
import {
  forget,
  madeVideo,
  reelog,
  startPlatform,
  survivors,
  type TestPlatform,
  until,
} from "./testing.ts"

let platform: TestPlatform

beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(async () => {
  const tree = platform.tree()
  await platform.stop()
  const left = await survivors(tree)
  forget(platform)
  expect(left).toEqual([])
})

interface Told {
  readonly type: string
  readonly position: string
  readonly data: { readonly taskId?: string }
}

const history = async (id: string): Promise<ReadonlyArray<Told>> => {
  const answer = await platform.call(`/v1/videos/${id}/history`)
  return ((await answer.json()) as { events: ReadonlyArray<Told> }).events
}

const isEncoding = (event: string, data: string) =>
  event === "rendition" && (JSON.parse(data) as { done: number }).done > 0

/** Uploads a video of its own and returns once the first piece of it is encoded. */
const encoding = async (title: string) => {
  const source = madeVideo(platform.directory, `${title}.mp4`, 24)
  const uploaded = await reelog(platform, "upload", source, "--title", title, "--wait", "uploaded")
  const videoId = String(uploaded.result.videoId)
  await until(platform, videoId, isEncoding)
  return { videoId, source }
}

/** Asks again while a process is coming back. */
const published = async (videoId: string) => {
  for (let tries = 0; ; tries++) {
    const done = await until(platform, videoId, (event) => event === "published").then(
      () => true,
      () => false,
    )
    if (done) return
    if (tries > 20) throw new Error(`${videoId} was not published`)
    await Bun.sleep(500)
  }
}

const doneTwice = (events: ReadonlyArray<Told>) => {
  const done = events.filter(({ type }) => type === "TaskSucceeded").map(({ data }) => data.taskId)
  return done.filter((taskId, i) => done.indexOf(taskId) !== i)
}

const sound = async ({
  videoId,
  source,
}: {
  readonly videoId: string
  readonly source: string
}) => {
  const events = await history(videoId)
  expect(events.filter(({ type }) => type === "VideoPublished")).toHaveLength(1)
  expect(doneTwice(events)).toEqual([])
  expect(await judge(source, `${platform.edgeUrl}/v/${videoId}/main.m3u8`)).toEqual([])
}

const victims = {
  "a worker": "apps/worker/main.ts",
  "the scheduler": "apps/scheduler/main.ts",
  "the completion handler": "apps/completion/main.ts",
  "the projector": "apps/projector/main.ts",
  "the API": "apps/platform/public.ts",
  "the event store": "infra/event-store/node/main.ts",
  "the object store": "infra/object-store/node/main.ts",
  Postgres: "postgres -D",
}

describe("kill -9 in mid-encode of", () => {
  for (const [name, command] of Object.entries(victims)) {
    test(`${name}: the video is published once and whole`, async () => {
      const video = await encoding(`Without ${name}`)
      const [victim] = platform.pidsOf(command)
      if (victim === undefined) throw new Error(`${command} does not run`)
      process.kill(victim, "SIGKILL")
      await published(video.videoId)
      await sound(video)
    }, 180_000)
  }

  test("everything at once: a new start goes on, and runs no finished chunk again", async () => {
    const video = await encoding("Without anything")
    const { videoId } = video
    const before = (await history(videoId)).filter(({ type }) => type === "TaskSucceeded")
    const tree = platform.tree()
    await platform.killAll()
    expect(await survivors(tree)).toEqual([])
    platform = await platform.again()
    await published(videoId)
    await sound(video)
    // A second run of a finished chunk would be a second success, which `sound` looks for.
    const after = (await history(videoId)).filter(({ type }) => type === "TaskSucceeded")
    expect(after.slice(0, before.length)).toEqual(before)
  }, 180_000)

  test("all of that leaves a platform whose invariants hold", async () => {
    const verified = await reelog(platform, "verify")
    const failed = verified.lines.map((line) => JSON.parse(line)).filter(({ ok }) => ok === false)
    expect(failed).toEqual([])
  }, 120_000)
})
