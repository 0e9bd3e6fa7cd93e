/**
 * What `verify` looks at in the log and in the object store. Both are read once, as they come: what
 * is held grows with the videos there are, never with what was ever recorded about them. Which
 * objects a published video claims is read again from its own stream, one video after the other.
 */
import { Effect, Stream } from "effect"
import type { DomainEvent, Unreadable } from "#domain/events.ts"
import { transcodeStream, type VideoId } from "#domain/ids.ts"
import { auditor, type Fact } from "#domain/invariants.ts"
import { runOf, runPrefix } from "#domain/keys.ts"
import { chainReader } from "#infra/event-store/chain.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"

export interface Check {
  readonly check: string
  readonly looked: number
  readonly problems: ReadonlyArray<unknown>
}

export interface Videos {
  /** By video: the transcode that was published. */
  readonly published: ReadonlyMap<VideoId, string>
  readonly isKnown: (videoId: string) => boolean
}

const PROBLEMS_TOLD = 50
const HEADS_AT_ONCE = 8

/** The first ones. */
const someProblems = () => {
  const problems: Array<unknown> = []
  return {
    problems,
    say: (problem: unknown) => {
      if (problems.length < PROBLEMS_TOLD) problems.push(problem)
    },
  }
}

const oneWriter = /^(?:upload|video|takedown|channel|account)-(.*)$/

/** The log in itself, and which videos it says were published. */
export const auditLog = Effect.gen(function* () {
  const store = yield* EventStore
  const audit = auditor()
  const readChain = chainReader()
  const chained = new Set<string>()
  const owners = new Set<string>()
  const published = new Map<VideoId, string>()
  const broken = someProblems()
  let looked = 0
  yield* Stream.runForEach(store.readAll(), (recorded) =>
    Effect.sync(() => {
      looked += 1
      audit.look(recorded satisfies Fact)
      const { event, stream } = recorded
      const [, owner] = oneWriter.exec(stream) ?? []
      if (owner !== undefined) {
        chained.add(stream)
        owners.add(owner)
        const found = readChain(recorded)
        if (found !== undefined) broken.say(found)
      }
      if (event._tag === "VideoPublished") published.set(event.videoId, event.transcode)
    }),
  )
  const checks: ReadonlyArray<Check> = [
    { check: "log", looked, problems: audit.problems().slice(0, PROBLEMS_TOLD) },
    { check: "chains", looked: chained.size, problems: broken.problems },
  ]
  return { checks, published, isKnown: (videoId: string) => owners.has(videoId) }
})

type Read = DomainEvent | Unreadable

const isCompleted = (event: Read, transcode: string) =>
  event._tag === "TranscodeCompleted" && event.transcode === transcode

const claimedBy = (event: Read, transcode: string): ReadonlyArray<string> =>
  event._tag === "TaskSucceeded" && event.taskId.startsWith(`${transcode}/`)
    ? Object.values(event.outputs).flatMap((output) =>
        typeof output === "object" && output !== null && "key" in output
          ? [String(output.key)]
          : [],
      )
    : []

/** What is temporary is gone by then. */
const isLasting = (key: string) => !key.startsWith("temp/")

/** The objects that its tasks claim to have made, and that are not there. */
const absentOf = Effect.fnUntraced(function* (videoId: VideoId, transcode: string) {
  const store = yield* EventStore
  const objects = yield* ObjectStore
  const history = yield* store.read(transcodeStream(videoId))
  const end = history.findIndex(({ event }) => isCompleted(event, transcode))
  const before = history.slice(0, end < 0 ? history.length : end)
  const claimed = new Set(before.flatMap(({ event }) => claimedBy(event, transcode)))
  const found = yield* Effect.forEach(
    [...claimed].filter(isLasting),
    (key) =>
      objects.head(key).pipe(
        Effect.as([]),
        Effect.catchTag("ObjectNotFound", () => Effect.succeed([key])),
      ),
    { concurrency: HEADS_AT_ONCE },
  )
  return found.flat()
})

/** Every published video has its segments, and nothing lies there that no event owns. */
export const auditObjects = Effect.fnUntraced(function* ({ published, isKnown }: Videos) {
  const objects = yield* ObjectStore
  const { problems, say } = someProblems()
  const withSegments = new Set<string>()
  let looked = 0
  for (const prefix of ["segments/", "temp/", "sources/", "manifests/", "images/"]) {
    yield* Stream.runForEach(objects.list(prefix), ({ key }) =>
      Effect.sync(() => {
        looked += 1
        const [kind, videoId = "", run = ""] = key.split("/")
        if (!isKnown(videoId)) say({ key, detail: "no event owns it" })
        const last = published.get(videoId as VideoId)
        // A later run is at work: the video is made anew.
        if (kind === "temp" && last !== undefined && Number(run) <= runOf(last))
          say({ key, detail: "left behind" })
        if (kind === "segments") withSegments.add(`segments/${videoId}/${run}/`)
      }),
    )
  }
  for (const [videoId, transcode] of published) {
    if (!withSegments.has(runPrefix(videoId, runOf(transcode))))
      say({ videoId, detail: "no segments" })
    for (const key of yield* absentOf(videoId, transcode))
      say({ key, detail: "claimed, but not there" })
  }
  return { check: "objects", looked, problems } satisfies Check
})
