import { describe, expect, test } from "bun:test"
import { usualPlacement } from "#domain/channel/watermark.ts"
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import {
  ABANDONED_TICKS,
  abandonedUploads,
  evolvePolicy,
  noPolicy,
  type Policy,
  reactTo,
  UNBEGUN_TICKS,
} from "./policy.ts"
import type { Plan } from "./transcode/channel-pipeline.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const channelId = ChannelId.make("main")
const plan: Plan = { pipeline: "default", steps: [] }
const of = { videoId, at }
const transcode = (run: number) => ({ videoId, transcode: `${videoId}.${run}` })

const created: DomainEvent = {
  ...{ _tag: "VideoCreated", ...of, channelId, accountId: AccountId.make("owner") },
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  ...{ description: null, visibility: "public" },
}
const requested: DomainEvent = {
  _tag: "UploadRequested",
  ...of,
  channelId,
  fileName: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  byteLength: 10,
  parts: [],
  centre: "local",
}
const received: DomainEvent = { _tag: "PartsReceived", ...of, parts: [{ number: 1, etag: "a" }] }
const completed: DomainEvent = { _tag: "UploadCompleted", ...of, byteLength: 10 }
const expired: DomainEvent = { _tag: "UploadExpired", ...of }
const takenDown: DomainEvent = {
  ...{ _tag: "VideoTakenDown", ...of, reason: "copyright", actor: "moderator" },
}
const reinstated: DomainEvent = { _tag: "VideoReinstated", ...of, actor: "moderator" }
const planned = (run: number): DomainEvent => ({
  ...{ _tag: "TranscodePlanned", ...transcode(run), channelId, service: "standard" },
  ...{ ...plan, config: {} },
})
const cancelled = (run: number): DomainEvent => ({ _tag: "TranscodeCancelled", ...transcode(run) })
const done = (run: number): DomainEvent => ({ _tag: "TranscodeCompleted", ...transcode(run) })
const ticked: DomainEvent = { _tag: "SchedulerTicked", cell: "loc", epoch: 1 }

const after = (...events: ReadonlyArray<DomainEvent>) => events.reduce(evolvePolicy, noPolicy())
const owed = (policy: Policy) =>
  reactTo(policy, plan).map(({ _tag, transcode: id }) => `${_tag} ${id.slice(id.indexOf("."))}`)

describe("a transcode", () => {
  test("is planned when the first parts have arrived, and only once", () => {
    expect(owed(after(requested))).toEqual([])
    expect(owed(after(requested, received))).toEqual(["TranscodePlanned .1"])
    expect(owed(after(requested, received, received))).toEqual(["TranscodePlanned .1"])
    expect(owed(after(requested, received, planned(1), received, completed))).toEqual([])
  })

  test("names the channel, the pipeline and where the source is", () => {
    expect(reactTo(after(requested, received), plan)).toEqual([
      {
        _tag: "TranscodePlanned",
        ...transcode(1),
        channelId,
        service: "standard",
        ...plan,
        config: { source: `sources/${videoId}/` },
      },
    ])
  })

  test("is cancelled when its video is taken down", () => {
    const running = [requested, received, planned(1)]
    expect(owed(after(...running, takenDown))).toEqual(["TranscodeCancelled .1"])
    expect(owed(after(...running, takenDown, cancelled(1)))).toEqual([])
  })

  test("runs again when its video is reinstated before it had ended", () => {
    const stopped = [requested, received, planned(1), takenDown, cancelled(1)]
    expect(owed(after(...stopped, reinstated))).toEqual(["TranscodePlanned .2"])
    expect(owed(after(...stopped, reinstated, planned(2)))).toEqual([])
    expect(owed(after(...stopped, reinstated, planned(2), takenDown))).toEqual([
      "TranscodeCancelled .2",
    ])
  })

  test("goes on when its video comes back before it was cancelled", () => {
    const running = [requested, received, planned(1), takenDown, reinstated]
    expect(owed(after(...running))).toEqual([])
  })

  test("runs again when its video comes back while it is being cancelled", () => {
    const back = [requested, received, planned(1), takenDown, reinstated]
    const late: DomainEvent = { _tag: "TranscodeCancelled", ...transcode(1), reason: "taken_down" }
    expect(owed(after(...back, late))).toEqual(["TranscodePlanned .2"])
  })

  test("that has ended is never planned again", () => {
    const over = [requested, received, planned(1), completed, done(1)]
    expect(owed(after(...over, takenDown, reinstated))).toEqual([])
    expect(after(...over).cases.size).toBe(0)
  })

  test("is not planned while its video is down", () => {
    expect(owed(after(requested, takenDown, received))).toEqual([])
    expect(owed(after(requested, takenDown, received, reinstated))).toEqual(["TranscodePlanned .1"])
  })

  test("is cancelled when its upload expires", () => {
    const running = [requested, received, planned(1)]
    expect(owed(after(...running, expired))).toEqual(["TranscodeCancelled .1"])
    expect(after(...running, expired, cancelled(1)).cases.size).toBe(0)
  })
})

describe("an upload", () => {
  const silence = (policy: Policy, ticks: number) => {
    for (let tick = 0; tick < ticks; tick++) evolvePolicy(policy, ticked)
    return abandonedUploads(policy)
  }

  test("of which no part ever came is abandoned", () => {
    const policy = after(requested)
    expect(silence(policy, UNBEGUN_TICKS)).toEqual([])
    expect(silence(policy, 1)).toEqual([videoId])
  })

  test("that was never asked for, though its video was created, is abandoned", () => {
    const policy = after(created)
    expect(silence(policy, UNBEGUN_TICKS)).toEqual([])
    expect(silence(policy, 1)).toEqual([videoId])
    evolvePolicy(policy, expired)
    expect(abandonedUploads(policy)).toEqual([])
    expect(policy.cases.size).toBe(0)
  })

  test("is abandoned later once it has begun, counted from its last part", () => {
    const policy = after(requested, received)
    silence(policy, ABANDONED_TICKS)
    evolvePolicy(policy, received)
    expect(silence(policy, ABANDONED_TICKS)).toEqual([])
    expect(silence(policy, 1)).toEqual([videoId])
  })

  test("that is complete or has expired is not", () => {
    expect(silence(after(requested, received, completed), ABANDONED_TICKS + 1)).toEqual([])
    expect(silence(after(requested, received, expired), ABANDONED_TICKS + 1)).toEqual([])
  })
})

describe("a channel's own pipeline", () => {
  const task = { name: "all", type: "Transcode", input: { input: "$context.file", config: {} } }
  const download = { name: "get", type: "Download", input: { url: "$config.url" } }
  const tasks = [{ ...download, output: { file: "it.file" } }, task]
  const tree = { pipeline: "own", config: { url: "url" }, tasks }
  const chosen = (pipeline: { text: string; tree: typeof tree | null } | null): DomainEvent => ({
    ...{ _tag: "PipelineChosen", channelId, actor: "owner", at, pipeline },
  })
  const own = chosen({ text: "own", tree })
  const pipelinesOf = (policy: Policy) =>
    reactTo(policy, plan).flatMap((it) => (it._tag === "TranscodePlanned" ? [it.pipeline] : []))

  test("makes the videos that are created after it was chosen", () => {
    expect(pipelinesOf(after(own, created, requested, received))).toEqual(["own"])
    expect(pipelinesOf(after(created, own, requested, received))).toEqual(["default"])
    expect(pipelinesOf(after(own, chosen(null), created, requested, received))).toEqual(["default"])
    const other: DomainEvent = { ...created, channelId: ChannelId.make("other") }
    expect(pipelinesOf(after(own, other, requested, received))).toEqual(["default"])
  })

  test("is planned with what a video is started with", () => {
    const [planned] = reactTo(after(own, created, requested, received), plan)
    const url = `sources/${videoId}/`
    expect(planned).toMatchObject({ config: { source: url, url, transConfig: {} } })
    expect(planned).toMatchObject({ steps: [{ name: "get" }, { name: "all", after: ["get"] }] })
  })

  test("that task types no longer carry out is passed over", () => {
    const unknown = { ...tree, tasks: [{ ...download, type: "Gone" }] }
    const broken = chosen({ text: "gone", tree: unknown as never })
    expect(pipelinesOf(after(own, broken, created, requested, received))).toEqual(["default"])
  })
})

describe("a channel's watermark", () => {
  const mark = "0123456789abcdef"
  const image = { key: "watermarks/main/a.png", bytes: 9, sha256: "ab", width: 400, height: 100 }
  const wish = { mark, kind: "text", ...usualPlacement } as const
  const set: DomainEvent = { _tag: "WatermarkSet", channelId, actor: "owner", at, watermark: wish }
  const made: DomainEvent = { _tag: "WatermarkMade", channelId, mark, image, at }
  const watermark = { image, ...usualPlacement }
  const steps = ["Inspect", "EncodeAudio"].map((type) => ({ name: type, type, after: [] }))
  const plannedAfter = (...events: ReadonlyArray<DomainEvent>) =>
    reactTo(after(...events), { ...plan, steps })[0]

  test("is given to the tasks that take one, for videos created after it was made", () => {
    const planned = plannedAfter(set, made, created, requested, received)
    expect(planned).toMatchObject({ config: { source: `sources/${videoId}/`, watermark } })
    const input = { watermark: "$config.watermark" }
    expect(planned).toMatchObject({ steps: [{ ...steps[0], input }, steps[1]] })
  })

  test("is none while there is no picture of it, and after it was switched off", () => {
    const off: DomainEvent = { ...set, watermark: null }
    for (const before of [[set], [set, made, off]]) {
      const planned = plannedAfter(...before, created, requested, received)
      expect(planned).toMatchObject({ steps, config: { source: `sources/${videoId}/` } })
      expect(JSON.stringify(planned)).not.toContain("watermark")
    }
    const late = plannedAfter(created, set, made, requested, received)
    expect(JSON.stringify(late)).not.toContain("watermark")
  })
})

describe("renditions that are asked for anew", () => {
  const mark = "0123456789abcdef"
  const image = { key: "watermarks/main/a.png", bytes: 9, sha256: "ab", width: 400, height: 100 }
  const wish = { mark, kind: "text", ...usualPlacement } as const
  const set: DomainEvent = { _tag: "WatermarkSet", channelId, actor: "owner", at, watermark: wish }
  const made: DomainEvent = { _tag: "WatermarkMade", channelId, mark, image, at }
  const asked: DomainEvent = {
    ...{ _tag: "RenditionsRequested", ...of, channelId, actor: "owner" },
    transcode: `${videoId}.1`,
  }
  const over = [created, requested, received, planned(1), completed, done(1)]

  test("are planned once for each time, by what the channel has set by then", () => {
    const policy = after(...over, set, made, asked, asked)
    expect(owed(policy)).toEqual(["TranscodePlanned .2"])
    expect(reactTo(policy, plan)[0]).toMatchObject({ config: { watermark: { image } } })
    const again = [...over, set, made, asked, planned(2)]
    expect(owed(after(...again))).toEqual([])
    expect(owed(after(...again, asked))).toEqual([])
    expect(owed(after(...again, asked, done(2)))).toEqual(["TranscodePlanned .3"])
    expect(after(...again, done(2)).cases.size).toBe(0)
  })

  test("get a run of their own, also after one that failed", () => {
    const failed: DomainEvent = { _tag: "TranscodeFailed", ...transcode(2), code: "too_expensive" }
    expect(owed(after(...over, asked, planned(2), failed, asked))).toEqual(["TranscodePlanned .3"])
  })

  test("are left when the video is taken down, and made when it is back", () => {
    const closed = [...over, asked, planned(2), takenDown]
    expect(owed(after(...closed))).toEqual(["TranscodeCancelled .2"])
    const late: DomainEvent = { _tag: "TranscodeCancelled", ...transcode(2), reason: "taken_down" }
    expect(owed(after(...closed, late))).toEqual([])
    expect(owed(after(...closed, late, reinstated))).toEqual(["TranscodePlanned .3"])
  })
})
