import { describe, expect, test } from "bun:test"
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, Timestamp, VideoId, WorkerId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { type Media, type Rung, TICKS } from "#domain/transcode/facts.ts"
import { doorOf, evolvePlayback, noPlayback } from "./playback.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const transcode = `${videoId}.1`
const worker = WorkerId.make("loc0123456789abcdex")
const channelId = ChannelId.make("main")
const title = Sealed.make(`v1.owner.${"A".repeat(40)}`)

const rung = (group: string, name: string, height: number): Rung => ({
  name,
  group,
  width: height * 2,
  height,
  maxBitsPerSecond: height * 1000,
  codecs: "avc1.64001f",
})
const ladder = [rung("r1", "240p", 240), rung("r2", "360p", 360)]
const media: Media = {
  demuxer: "mov",
  video: {
    index: 0,
    codec: "h264",
    width: 720,
    height: 360,
    framesPerSecond: 25,
    bitsPerSecond: null,
  },
  audio: { index: 1, codec: "aac", channels: 2, samplesPerSecond: 48_000 },
  durationTicks: 12 * TICKS,
  targetDuration: 4,
  byteLength: 1_000_000,
}
const segment = (k: number, seconds = 2) => ({
  k,
  start: k * 2 * TICKS,
  duration: seconds * TICKS,
  bytes: 1000,
})

const created: DomainEvent = {
  _tag: "VideoCreated",
  videoId,
  at,
  channelId,
  accountId: AccountId.make("owner"),
  title,
  description: null,
  visibility: "public",
}
const playable: DomainEvent = { _tag: "VideoPlayable", videoId, at, transcode }
const published: DomainEvent = { _tag: "VideoPublished", videoId, at, transcode }
const takenDown: DomainEvent = {
  _tag: "VideoTakenDown",
  videoId,
  at,
  reason: "copyright",
  actor: "owner",
}
const reinstated: DomainEvent = { _tag: "VideoReinstated", videoId, at, actor: "owner" }

const task = (name: string) => ({
  videoId,
  taskId: `${transcode}/${name}`,
  attempt: 1,
  worker,
})
const inspected: DomainEvent = {
  _tag: "TaskSucceeded",
  ...task("inspect"),
  outputs: { media, rungs: ladder },
}
const chunks = (...pieces: ReadonlyArray<number>): DomainEvent => ({
  _tag: "TaskEmitted",
  videoId,
  taskId: `${transcode}/split`,
  worker,
  pieces: pieces.map((n) => ({ n })),
})
const splitWhole: DomainEvent = { _tag: "TaskSucceeded", ...task("split"), outputs: {} }
const encoded = (
  group: string,
  n: number,
  rungs: ReadonlyArray<string>,
  seconds = 2,
  told = {},
): DomainEvent => ({
  _tag: "TaskSucceeded",
  ...task(`encode-video:${group}/${n}`),
  outputs: {
    ...told,
    segments: {
      n,
      rungs: rungs.map((name) => ({ rung: name, initBytes: 800, segments: [segment(n, seconds)] })),
    },
  },
})
const sound = (n: number): DomainEvent => ({
  _tag: "TaskEmitted",
  videoId,
  taskId: `${transcode}/encode-audio`,
  worker,
  pieces: [{ n, facts: { segments: [segment(n)] } }],
})

const seen = [created, inspected, encoded("r1", 0, ["240p"]), encoded("r1", 1, ["240p"])]
const first = [...seen, sound(0)]
const after = (...events: ReadonlyArray<DomainEvent>) =>
  doorOf(events.reduce(evolvePlayback, noPlayback))
const listsAfter = (...events: ReadonlyArray<DomainEvent>) => {
  const door = after(...events)
  return door._tag === "Growing" ? door.lists : undefined
}
const numbersOf = (name: string, ...events: ReadonlyArray<DomainEvent>) =>
  listsAfter(...events)
    ?.rungs.find((known) => known.rung.name === name)
    ?.segments.map(({ k }) => k)

describe("a video", () => {
  test("that nobody created is absent", () => {
    expect(after()).toEqual({ _tag: "Absent" })
  })

  test("that is private is absent to a stranger, whatever else is true of it", () => {
    expect(after({ ...created, visibility: "private" }, playable, published, takenDown)._tag).toBe(
      "Absent",
    )
  })

  test("that became private after it was published is absent", () => {
    expect(
      after(created, published, {
        _tag: "VideoDetailsChanged",
        videoId,
        at,
        visibility: "private",
      })._tag,
    ).toBe("Absent")
  })

  test("shows nothing before the log says that it is playable", () => {
    expect(after(...first)).toEqual({ _tag: "Waiting" })
    expect(after(...first, playable)._tag).toBe("Growing")
  })

  test("that is published speaks through its final manifests and forgets the growing lists", () => {
    const playback = [...first, playable, published].reduce(evolvePlayback, noPlayback)
    expect(doorOf(playback)).toEqual({ _tag: "Final", run: 1 })
    expect(playback.runs).toEqual({})
  })

  test("that was taken down is closed with its reason, and opens as it was when reinstated", () => {
    const growing = [...first, playable]
    expect(after(...growing, takenDown)).toEqual({ _tag: "Closed", reason: "copyright" })
    expect(after(...growing, takenDown, reinstated)).toEqual(after(...growing))
    expect(after(created, published, takenDown, reinstated)._tag).toBe("Final")
  })

  test("that failed has no lists, unless it had been published before", () => {
    const failed: DomainEvent = { _tag: "VideoFailed", videoId, at, code: "source-corrupt" }
    expect(after(...first, playable, failed)).toEqual({ _tag: "Failed", code: "source-corrupt" })
    expect(after(created, published, failed)._tag).toBe("Final")
  })
})

describe("a growing list", () => {
  test("names the rungs whose first two pieces are done", () => {
    const events = [...first, encoded("r2", 0, ["360p"]), playable]
    expect(listsAfter(...events)?.named.map(({ name }) => name)).toEqual(["240p"])
    expect(
      listsAfter(...events, encoded("r2", 1, ["360p"]))?.named.map(({ name }) => name),
    ).toEqual(["240p", "360p"])
  })

  test("of a source with one piece names the rungs that have it", () => {
    const events = [
      created,
      inspected,
      chunks(0),
      splitWhole,
      encoded("r1", 0, ["240p"]),
      sound(0),
      playable,
    ]
    expect(listsAfter(...events)?.named.map(({ name }) => name)).toEqual(["240p"])
  })

  test("ends at the first piece that is missing, and goes on when it comes", () => {
    const events = [...first, playable, encoded("all", 3, ["240p", "360p"])]
    expect(numbersOf("240p", ...events)).toEqual([0, 1])
    expect(numbersOf("240p", ...events, encoded("all", 2, ["240p", "360p"]))).toEqual([0, 1, 2, 3])
    expect(numbersOf("360p", ...events)).toBeUndefined()
  })

  test("names a copied rung no longer once a piece of it was refused", () => {
    const { name, maxBitsPerSecond, codecs, ...rest } = rung("r2", "360p", 360)
    const instead = { name, maxBitsPerSecond, codecs }
    const top = { ...rest, ...instead, name: "360p-source", copied: { instead } }
    const told: DomainEvent = { ...inspected, outputs: { media, rungs: [ladder[0] ?? top, top] } }
    const copied = [0, 1].map((n) => encoded("r2", n, ["360p-source"]))
    const events = [created, told, ...first.slice(2), ...copied, playable]
    expect(listsAfter(...events)?.named.map((it) => it.name)).toEqual(["240p", "360p-source"])
    const refused = { rung: "360p-source", reason: "not-idr: 180000" }
    const piece = encoded("all", 2, ["240p", "360p"], 2, { refused })
    expect(listsAfter(...events, piece)?.named.map((it) => it.name)).toEqual(["240p"])
  })

  test("counts a piece once, however often it is told", () => {
    const again = encoded("r1", 1, ["240p"])
    expect(numbersOf("240p", ...first, again, playable, again)).toEqual([0, 1])
  })

  test("stops before a segment longer than its target duration", () => {
    expect(
      numbersOf(
        "240p",
        ...first,
        playable,
        encoded("all", 2, ["240p"], 5),
        encoded("all", 3, ["240p"]),
      ),
    ).toEqual([0, 1])
  })

  test("has sound as far as it was emitted, and none for a source that is silent", () => {
    const events = [...first, playable, sound(2)]
    expect(listsAfter(...events)?.sounds[0]?.segments.map(({ k }) => k)).toEqual([0])
    const mute: DomainEvent = {
      _tag: "TaskSucceeded",
      ...task("encode-audio"),
      outputs: { audio: { renditions: [] } },
    }
    expect(listsAfter(...events, mute)?.sounds).toEqual([])
  })

  test("waits for the first sound of a source that has some", () => {
    expect(after(...seen, playable)).toEqual({ _tag: "Waiting" })
    expect(after(...seen, playable, sound(0))._tag).toBe("Growing")
  })

  test("knows the steps of another pipeline by their types", () => {
    const planned: DomainEvent = {
      _tag: "TranscodePlanned",
      videoId,
      transcode,
      channelId,
      service: "standard",
      pipeline: "own",
      steps: [
        { name: "look", type: "Inspect", after: [] },
        { name: "film:all", type: "EncodeVideo", after: ["look"] },
      ],
      config: {},
    }
    const looked: DomainEvent = {
      _tag: "TaskSucceeded",
      ...task("look"),
      outputs: { media, rungs: ladder },
    }
    const filmed = { ...encoded("all", 0, ["240p"]), ...task("film:all/0") }
    const filmedMore = { ...encoded("all", 1, ["240p"]), ...task("film:all/1") }
    const events = [created, planned, looked, filmed, filmedMore, sound(0), playable]
    expect(numbersOf("240p", ...events)).toEqual([0, 1])
  })
})

test("the two streams may be read in any interleaving", () => {
  const ofVideo = [created, playable, takenDown, reinstated, published]
  const ofTranscode = [
    inspected,
    chunks(0, 1, 2),
    encoded("r1", 0, ["240p"]),
    sound(0),
    encoded("r1", 1, ["240p"]),
  ]
  const interleavings = (
    left: ReadonlyArray<DomainEvent>,
    right: ReadonlyArray<DomainEvent>,
  ): ReadonlyArray<ReadonlyArray<DomainEvent>> => {
    const [l, ...ls] = left
    const [r, ...rs] = right
    if (l === undefined) return [right]
    if (r === undefined) return [left]
    return [
      ...interleavings(ls, right).map((rest) => [l, ...rest]),
      ...interleavings(left, rs).map((rest) => [r, ...rest]),
    ]
  }
  for (const length of [1, 2, 3, 4, 5]) {
    const results = interleavings(ofVideo.slice(0, length), ofTranscode).map((events) =>
      JSON.stringify(events.reduce(evolvePlayback, noPlayback)),
    )
    expect(new Set(results).size).toBe(1)
  }
})
