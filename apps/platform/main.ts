/**
 * The whole platform on one machine: every process of the cluster, supervised, on loopback alone.
 * Prints `ready <url>` once pages, API, edge and stores answer. SIGTERM or ctrl-C: no new work,
 * the rest drains, no process stays behind.
 */
import { availableParallelism } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { Deferred, Effect, Fiber, Ref, Schedule } from "effect"
import { runMain } from "#infra/configuration.ts"
import { announce, isFree, openHome, runningIn } from "./home.ts"
import { logTo } from "./logs.ts"
import { addresses, processesOf } from "./processes.ts"
import { say, showStatus } from "./screen.ts"
import { signInLink } from "./sign-in.ts"
import { type KeepsDying, supervise } from "./supervise.ts"

const START_SECONDS = 120

const usage = "scripts/start [--data DIR] [--port N] [--workers N]"

const stopWith = (sentence: string): never => {
  process.stderr.write(`reelog: ${sentence}\n`)
  process.exit(1)
}

const options = () => {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: "string", default: process.env.REELOG_DATA ?? ".reelog" },
        port: { type: "string", default: process.env.REELOG_PORT ?? "8080" },
        workers: { type: "string", default: process.env.REELOG_WORKERS ?? "2" },
        help: { type: "boolean", default: false },
      },
    })
    return values
  } catch {
    return stopWith(`unknown option; usage: ${usage}`)
  }
}

const whole = (name: string, text: string, least: number, most: number) => {
  const value = Number(text)
  return Number.isInteger(value) && value >= least && value <= most
    ? value
    : stopWith(`${name} is a whole number from ${least} to ${most}`)
}

const platform = Effect.gen(function* () {
  const given = options()
  if (given.help) return stopWith(`usage: ${usage}`)
  const wanted = {
    port: whole("--port", given.port, 1, 65_533),
    workers: whole("--workers", given.workers, 0, 64),
    cores: availableParallelism(),
    programs: process.env.REELOG_PROGRAMS ?? "",
  }
  const directory = resolve(given.data)
  const other = runningIn(directory)
  if (other) return stopWith(`a platform already runs on ${directory}: ${other.url}`)

  for (const port of [wanted.port, wanted.port + 1, wanted.port + 2]) {
    const free = yield* Effect.promise(() => isFree(port))
    if (free === undefined) return stopWith(`port ${port} is taken; choose others with --port`)
  }

  const home = yield* Effect.promise(() => openHome(directory))
  const { url, edgeUrl, s3Url, eventStoreUrl } = addresses(home, wanted)
  const running = { pid: process.pid, url, edgeUrl, s3Url, eventStoreUrl }
  announce(directory, running)

  const specs = processesOf(home, wanted)
  const all = yield* Effect.forEach(specs, (spec) => {
    const file = logTo(join(directory, "logs"), spec.name)
    return supervise(spec, (line) => {
      file(line)
      if (line.startsWith("ended by")) say(`${spec.name}: ${line}`)
    })
  })
  const states = Effect.forEach(all, ({ state }) => Ref.get(state))
  yield* states.pipe(
    Effect.map(showStatus),
    Effect.repeat(Schedule.spaced("500 millis")),
    Effect.forkScoped,
  )

  return yield* Effect.scoped(
    Effect.gen(function* () {
      const ends: Array<Effect.Effect<never, KeepsDying>> = []
      /** What is started later is stopped earlier. A process that keeps dying ends the wait, and the platform. */
      const startTier = Effect.fnUntraced(function* (tier: number) {
        const some = all.filter((_, i) => specs[i]?.tier === tier)
        const running = yield* Effect.forkScoped(Effect.raceAllFirst(some.map(({ run }) => run)))
        ends.push(Fiber.join(running))
        const ready = Effect.forEach(some, ({ ready }) => Deferred.await(ready), { discard: true })
        yield* Effect.raceFirst(ready, Fiber.join(running)).pipe(
          Effect.timeout(`${START_SECONDS} seconds`),
        )
      })
      yield* startTier(1)
      yield* startTier(2)
      if (home.isNew) say(`sign in once with ${yield* signInLink(home, url)}`)
      process.stdout.write(`ready ${url}\n`)
      yield* startTier(3)
      return yield* Effect.raceAllFirst(ends)
    }),
  )
})

runMain(
  Effect.scoped(platform).pipe(
    Effect.catchTag("KeepsDying", ({ process: name, exit, lastWords }) =>
      Effect.sync(() => stopWith(`${name} keeps ending by ${exit}; its last words:\n${lastWords}`)),
    ),
  ),
)
