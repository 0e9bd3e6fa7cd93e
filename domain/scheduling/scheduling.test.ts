import { describe, expect, test } from "bun:test"
import { decide } from "./decide.ts"
import type { SchedulingEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { match, readyTasks } from "./match.ts"
import { keyOf, noQueues, type Queues } from "./queues.ts"
import { cell, pieceOf, planned, types, videoIdOf, workerIdOf } from "./testing.ts"

const videoId = videoIdOf(0)
const transcode = `${videoId}.1`
const [w, x] = [workerIdOf(0), workerIdOf(1)]
const lease = (name: string, worker = w, attempt = 1) => ({
  ...{ videoId, taskId: `${transcode}/${name}`, attempt, worker },
})

const elected = (epoch: number): SchedulingEvent => ({ _tag: "SchedulerStarted", cell, epoch })
const ticked = (epoch: number): SchedulingEvent => ({ _tag: "SchedulerTicked", cell, epoch })
const started = (worker = w, slots = 2, can = types): SchedulingEvent => ({
  ...{ _tag: "WorkerStarted", worker, can, slots },
})
const assigned = (epoch: number, name: string, worker = w): SchedulingEvent => ({
  ...{ _tag: "TaskAssigned", epoch, ...lease(name, worker) },
})
const succeeded = (name: string, worker = w): SchedulingEvent => ({
  ...{ _tag: "TaskSucceeded", ...lease(name, worker), outputs: {} },
})
const emitted = (step: string, ...pieces: ReadonlyArray<ReturnType<typeof pieceOf>>) =>
  ({ _tag: "TaskEmitted", videoId, taskId: `${transcode}/${step}`, worker: w, pieces }) as const
const inspected = (...groups: ReadonlyArray<string>): SchedulingEvent => ({
  ...{ _tag: "TaskSucceeded", ...lease("inspect"), outputs: {}, groups },
})

const after = (...events: ReadonlyArray<SchedulingEvent>) => events.reduce(evolve, noQueues())
const then = (queues: Queues, ...events: ReadonlyArray<SchedulingEvent>) =>
  events.reduce(evolve, queues)
const readyNames = (queues: Queues) =>
  readyTasks(queues).map(({ id }) => id.slice(transcode.length + 1))
const owedTags = (queues: Queues) => decide(queues).map(({ _tag }) => _tag)
const revoked = (queues: Queues) =>
  decide(queues).flatMap((event) => (event._tag === "TaskRevoked" ? [keyOf(event)] : []))

describe("pieces", () => {
  const begun = [planned(0, 0), succeeded("watermark"), inspected("r1", "r2", "all")]

  test("are encoded while split still runs, each by the groups it names", () => {
    const queues = after(...begun, emitted("split", pieceOf(0), pieceOf(2)))
    expect(readyNames(queues).filter((name) => name.startsWith("encode-video"))).toEqual([
      "encode-video:r1/0",
      "encode-video:r2/0",
      "encode-video:all/2",
    ])
  })

  test("complete the map only when no more can come", () => {
    const rest = ["check/0", "encode-audio", "fingerprint"].map((name) => succeeded(name))
    const queues = after(...begun, emitted("split", pieceOf(0)))
    then(queues, succeeded("encode-video:r1/0"), succeeded("encode-video:r2/0"), ...rest)
    expect(readyNames(queues)).not.toContain("package")
    then(queues, succeeded("split"))
    expect(readyNames(queues)).toContain("package")
  })

  test("of groups that do not exist are not made", () => {
    const queues = after(planned(0, 0), succeeded("watermark"), inspected("r2", "all"))
    then(queues, emitted("split", pieceOf(0), pieceOf(2)))
    expect(readyNames(queues).filter((name) => name.startsWith("encode-video"))).toEqual([
      "encode-video:r2/0",
      "encode-video:all/2",
    ])
  })

  test("that name no groups are for all of them", () => {
    const queues = after(...begun, emitted("split", { n: 0 }))
    expect(readyNames(queues).filter((name) => name.endsWith("/0"))).toHaveLength(3)
  })
})

describe("the first seconds", () => {
  const heard = [planned(0, 0), succeeded("watermark"), inspected("r1", "r2", "all")]
  const both = emitted("split", pieceOf(0), pieceOf(1))

  test("are playable when the first group has two pieces and the sound has two", () => {
    const queues = after(...heard, both, emitted("encode-audio", { n: 0 }, { n: 1 }))
    then(queues, succeeded("encode-video:r1/0"))
    expect(owedTags(queues)).toEqual([])
    then(queues, succeeded("encode-video:r1/1"))
    expect(owedTags(queues)).toEqual(["TranscodePlayable"])
  })

  test("of a video with one piece are playable when nothing more can come", () => {
    const queues = after(...heard, emitted("split", pieceOf(0)), succeeded("encode-audio"))
    then(queues, succeeded("encode-video:r1/0"))
    expect(owedTags(queues)).toEqual([])
    then(queues, succeeded("split"))
    expect(owedTags(queues)).toEqual(["TranscodePlayable"])
  })

  test("that no piece gives to the first group wait for the group that has them", () => {
    const whole = emitted("split", { n: 0, groups: ["all"] })
    const queues = after(...heard, whole, succeeded("split"), succeeded("encode-audio"))
    expect(owedTags(queues)).toEqual([])
    then(queues, succeeded("encode-video:all/0"))
    expect(owedTags(queues)).toEqual(["TranscodePlayable"])
  })

  test("pass to the next group when the first does not exist", () => {
    const queues = after(planned(0, 0), succeeded("watermark"), inspected("r2", "all"), both)
    then(queues, succeeded("encode-audio"))
    expect(owedTags(queues)).toEqual([])
    then(queues, succeeded("encode-video:r2/0"), succeeded("encode-video:r2/1"))
    expect(owedTags(queues)).toEqual(["TranscodePlayable"])
  })
})

describe("an assignment", () => {
  test("that is void, or lost to a faster one, is revoked and not matched again", () => {
    const queues = after(planned(0, 0), started(w), started(x), elected(2))
    then(queues, assigned(1, "inspect"))
    expect(revoked(queues)).toEqual([keyOf(lease("inspect"))]) // the deposed scheduler's
    then(queues, assigned(2, "inspect", x), succeeded("inspect")) // without a lease, but faster
    expect(revoked(queues)).toEqual([keyOf(lease("inspect", x))])
    then(queues, succeeded("inspect", x)) // the second success only frees its slot
    expect([...queues.workers.values()].map(({ free }) => free)).toEqual([2, 2])
  })

  test("of a video that failed is revoked, and the failure told", () => {
    const queues = after(planned(0, 0), started(), elected(1), succeeded("inspect"))
    then(queues, assigned(1, "split"), assigned(1, "watermark"))
    const corrupt = { code: "source_corrupt", recoverable: false }
    then(queues, { _tag: "TaskFailed", ...corrupt, ...lease("split") })
    expect(owedTags(queues).sort()).toEqual(["TaskRevoked", "TranscodeFailed"])
  })

  test("of a cancelled transcode is revoked, and its slot is free only when the worker says so", () => {
    const queues = after(planned(0, 0), started(w, 1), elected(1), assigned(1, "inspect"))
    then(queues, { _tag: "TranscodeCancelled", videoId, transcode })
    expect(revoked(queues)).toEqual([keyOf(lease("inspect"))])
    then(queues, { _tag: "TaskRevoked", epoch: 1, ...lease("inspect") })
    expect(queues.workers.get(w)?.free).toBe(0)
    then(queues, { _tag: "TaskReleased", ...lease("inspect") })
    expect(queues.workers.get(w)?.free).toBe(1)
  })

  test("is recognized after the election has expired from the log, by the ticks", () => {
    const queues = after(planned(0, 0), started(), ticked(7), assigned(7, "inspect"))
    expect([...queues.running.keys()]).toEqual([keyOf(lease("inspect"))])
  })
})

describe("a failed task", () => {
  const failed = (attempt: number): SchedulingEvent => ({
    ...{ _tag: "TaskFailed", code: "encoder_crashed", recoverable: true },
    ...lease("inspect", w, attempt),
  })
  const tried = (queues: Queues, attempt: number) =>
    then(
      queues,
      { _tag: "TaskAssigned", epoch: 1, ...lease("inspect", w, attempt) },
      failed(attempt),
    )

  test("waits 2, 4 and 8 ticks, then fails its video", () => {
    const queues = after(planned(0, 0), started(), elected(1))
    for (const [index, ticks] of [2, 4, 8].entries()) {
      tried(queues, index + 1)
      for (let tick = 1; tick < ticks; tick++) then(queues, ticked(1))
      expect(readyNames(queues)).not.toContain("inspect")
      then(queues, ticked(1))
      expect(readyNames(queues)).toContain("inspect")
    }
    tried(queues, 4)
    expect(owedTags(queues)).toEqual(["TranscodeFailed"])
  })
})

describe("a silent worker", () => {
  const silence = (queues: Queues, ticks: number) => {
    for (let tick = 0; tick < ticks; tick++) then(queues, ticked(1))
    return decide(queues).flatMap((event) => (event._tag === "WorkerLost" ? [event.worker] : []))
  }

  test("with a lease is lost after 15 ticks, counted from its assignment", () => {
    const queues = after(planned(0, 0), started(w), elected(1))
    expect(silence(queues, 60)).toEqual([])
    then(queues, assigned(1, "inspect"))
    expect(silence(queues, 15)).toEqual([])
    expect(silence(queues, 1)).toEqual([w])
  })

  test("without a lease is lost after 90", () => {
    const queues = after(started(w), elected(1))
    expect(silence(queues, 90)).toEqual([])
    expect(silence(queues, 1)).toEqual([w])
  })

  test("gives its tasks to others", () => {
    const queues = after(planned(0, 0), started(w), elected(1), assigned(1, "inspect"))
    then(queues, started(x), { _tag: "WorkerLost", epoch: 1, worker: w })
    expect(match(queues)).toContainEqual(lease("inspect", x, 2))
  })
})

test("a task that kills its workers is run alone, then ends its video", () => {
  const queues = after(planned(0, 0), elected(1))
  const free: Array<number | undefined> = []
  for (let loss = 0; queues.transcodes.get(transcode)?.outcome === undefined; loss++) {
    const worker = workerIdOf(loss)
    then(queues, started(worker, 4, ["probe"]))
    for (const pair of match(queues)) then(queues, { _tag: "TaskAssigned", epoch: 1, ...pair })
    free.push(queues.workers.get(worker)?.free)
    then(queues, { _tag: "WorkerLost", epoch: 1, worker })
  }
  expect(free).toEqual([3, 3, 0, 0, 0])
  const code = "task_kills_workers"
  expect(decide(queues)).toEqual([{ _tag: "TranscodeFailed", videoId, transcode, code }])
})

describe("a match", () => {
  test("gives a worker no more than its free slots", () => {
    const queues = after(planned(0, 0), planned(1, 1), started(w, 3), elected(1))
    expect(readyTasks(queues)).toHaveLength(4)
    expect(match(queues)).toHaveLength(3)
  })

  test("counts what was sent and has not come back", () => {
    const queues = after(planned(0, 0), started(w, 1), started(x, 1), elected(1))
    const [first, second] = match(queues)
    expect(match(queues, first ? [first] : [])).toEqual(second ? [second] : [])
  })

  test("prefers a worker that has spoken since the election", () => {
    const queues = after(planned(0, 0), started(w, 4), elected(1), assigned(1, "inspect", w))
    then(queues, { _tag: "TaskReleased", ...lease("inspect", w) })
    then(queues, elected(2), started(x, 1)) // everything was killed and started again
    expect(match(queues).map(({ worker }) => worker)).toEqual([x, w])
  })

  test("prefers a worker that has the source", () => {
    const queues = after(planned(0, 0), started(w, 4), started(x, 4), elected(1))
    then(queues, assigned(1, "inspect", x))
    expect(match(queues).map(({ worker }) => worker)).toEqual([x])
  })
})

describe("fairness", () => {
  const flood = (channel: number) =>
    Array.from({ length: 2_000 }, (_, index) => planned(channel * 10_000 + index + 1, channel))

  test("two channels with work are served alike, and a flood does not delay another's single video", () => {
    const queues = after(...flood(1), ...flood(2), planned(0, 0), started(w, 64), elected(1))
    const served = Array.from({ length: 64 }, () => {
      const [pair] = match(queues, [], 1)
      if (pair) then(queues, { _tag: "TaskAssigned", epoch: 1, ...pair })
      return pair && Math.floor(Number(pair.videoId.slice(3)) / 10_000)
    })
    const of = (channel: number) => served.filter((served) => served === channel).length
    expect([of(0), of(1), of(2)]).toEqual([2, 31, 31])
  })

  test("nothing is matched when nobody is there", () => {
    expect(match(after(...flood(1)))).toEqual([])
  })
})
