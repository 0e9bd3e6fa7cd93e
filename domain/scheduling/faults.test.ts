/**
 * Breaks the rules one by one and sees the tests of the scheduling notice. Each fault is a change
 * of one place in the source, loaded by a plugin in a process of its own.
 */
import { describe, expect, test } from "bun:test"

interface Fault {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const faults: ReadonlyArray<Fault> = [
  {
    name: "a deposed scheduler's assignment counts",
    file: "evolve.ts",
    from: "if (epoch !== queues.epoch || !transcode",
    to: "if (!transcode",
  },
  {
    name: "an assignment counts whatever its attempt",
    file: "evolve.ts",
    from: `task?.state === "ready" && attempt === task.attempt + 1`,
    to: `task?.state === "ready"`,
  },
  {
    name: "a task that runs is assigned again",
    file: "evolve.ts",
    from: `task?.state === "ready" && attempt`,
    to: `task?.state !== "done" && attempt`,
  },
  {
    name: "a failure frees no slot",
    file: "evolve.ts",
    from: "if (worker) occupy(queues, worker, -(queues.running.get(key)?.slots ?? 0))",
    to: "",
  },
  {
    name: "a failure without the live lease counts",
    file: "evolve.ts",
    from: "if (task?.lease !== key) return undefined",
    to: "if (!task) return undefined",
  },
  {
    name: "a lost worker keeps its leases",
    file: "evolve.ts",
    from: "const task = lease.worker === id ? endLease(queues, lease) : undefined",
    to: "const task = undefined as Task | undefined",
  },
  {
    name: "nobody is told of a void assignment",
    file: "evolve.ts",
    from: "if (!queues.running.has(key)) queues.unwanted.set(key, lease)",
    to: "",
  },
  {
    name: "a second success counts again",
    file: "evolve.ts",
    from: `if (!transcode || !task || task.state === "done") return`,
    to: "if (!transcode || !task) return",
  },
  {
    name: "back-off ends at once",
    file: "evolve.ts",
    from: "if (due > queues.tick) continue",
    to: "",
  },
  {
    name: "a known piece counts again",
    file: "evolve.ts",
    from: "if (known.has(n)) continue",
    to: "",
  },
  {
    name: "a task waits for news that came before it gave up",
    file: "pausing.ts",
    from: "(uploads.get(videoId) ?? Number.POSITIVE_INFINITY) <= heard",
    to: "true",
  },
  {
    name: "a task that waits for bytes is offered before they come",
    file: "evolve.ts",
    from: "if (isPausing(queues, event)) pause(queues, transcode, task)",
    to: "if (false) pause(queues, transcode, task)",
  },
  {
    name: "the news of an upload wakes nobody",
    file: "pausing.ts",
    from: `if (transcode && task?.state === "waiting")`,
    to: "if (false)",
  },
  {
    name: "a map is whole before its emitter is done",
    file: "readiness.ts",
    from: "transcode.done.get(each) === 1 &&",
    to: "",
  },
  {
    name: "a map waits for the whole map before it",
    file: "readiness.ts",
    from: "if (piece === undefined || before.each !== step.each) return",
    to: "if (true) return",
  },
  {
    name: "a piece is encoded by groups it does not name",
    file: "readiness.ts",
    from: "group === undefined || groups === undefined || groups.includes(group)",
    to: "true",
  },
  {
    name: "what was sent is matched again",
    file: "match.ts",
    from: "new Set(sent.map(({ taskId }) => taskId))",
    to: "new Set()",
  },
  {
    name: "a worker without a free slot is chosen",
    file: "match.ts",
    from: "if (free < slotsFor(task, worker)) continue",
    to: "",
  },
]

const tests = ["scheduling.test.ts", "pausing.test.ts", "scheduling.property.test.ts"].map(
  (name) => `${import.meta.dir}/${name}`,
)

/** Whether the tests fail with this fault in. */
const isNoticed = async ({ file, from, to }: Fault) => {
  const source = await Bun.file(`${import.meta.dir}/${file}`).text()
  expect(source.split(from)).toHaveLength(2)
  const run = Bun.spawn(
    [
      process.execPath,
      "test",
      "--bail",
      "--preload",
      import.meta.resolve("./fault-preload.ts"),
      ...tests,
    ],
    {
      env: { ...process.env, SEEDS: "40", FAULT: JSON.stringify({ file, from, to }) },
      stdout: "ignore",
      stderr: "pipe",
    },
  )
  const report = await new Response(run.stderr).text()
  expect(report).not.toContain("Cannot find")
  return (await run.exited) !== 0 && report.includes("(fail)")
}

describe("the tests notice when", () => {
  test.each(faults)(
    "$name",
    async (fault) => {
      expect(await isNoticed(fault)).toBe(true)
    },
    60_000,
  )
})
