/**
 * What every process has in common around its program: settings from the environment, where
 * `FOO_FILE` names a file that holds `FOO` (for secrets); log lines as JSON on stderr; an end that
 * runs every finalizer; and a sentence that names the variable when a setting is wrong.
 */
import { readFileSync } from "node:fs"
import {
  Cause,
  Config,
  ConfigProvider,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  type SchemaIssue,
} from "effect"

type Environment = Readonly<Record<string, string | undefined>>

/** Finalizers that take longer are given up: the supervisor would kill us anyway. */
const DRAIN_MILLIS = 10_000
/** A parent that was killed can't tell us. */
const PARENT_CHECK_MILLIS = 1_000

const contentsOf = (name: string, path: string) =>
  Effect.try({
    try: () => ConfigProvider.makeValue(readFileSync(path, "utf8").trim()),
    catch: (cause) =>
      new ConfigProvider.SourceError({ message: `${name} names a file that can't be read`, cause }),
  })

/** An environment in which `FOO_FILE` stands for `FOO`; `FOO` itself wins when both are set. */
const environment = (variables: Environment) => {
  const plain = ConfigProvider.fromEnvRecord(variables)
  return ConfigProvider.make((path) => {
    const name = path.join("_")
    const file = variables[`${name}_FILE`]
    return variables[name] || !file ? plain.load(path) : contentsOf(`${name}_FILE`, file)
  })
}

export const environmentLayer = (variables: Environment = process.env) =>
  ConfigProvider.layer(environment(variables))

// Sentences

/** Where the first fault is; a setting of one variable has a path of one name. */
const pathOf = (issue: SchemaIssue.Issue): ReadonlyArray<PropertyKey> => {
  switch (issue._tag) {
    case "Pointer":
      return [...issue.path, ...pathOf(issue.issue)]
    case "Filter":
    case "Encoding":
      return pathOf(issue.issue)
    case "Composite":
    case "AnyOf":
      return issue.issues[0] ? pathOf(issue.issues[0]) : []
    default:
      return []
  }
}

/** Never says the value: it may be a secret. */
export const explain = (
  { cause }: Config.ConfigError,
  variables: Environment = process.env,
): string => {
  if (cause._tag === "SourceError") return cause.message
  const name = pathOf(cause.issue).map(String).join("_")
  const isGiven = Boolean(variables[name] || variables[`${name}_FILE`])
  return `${name} is ${isGiven ? "malformed" : "missing"}`
}

// The process

const jsonOnStderr = Logger.layer([Logger.withConsoleError(Logger.formatJson)])

const say = (sentence: string) => process.stderr.write(`reelog: ${sentence}\n`)

const report = (cause: Cause.Cause<unknown>) => {
  const failure = Cause.squash(cause)
  if (failure instanceof Config.ConfigError) say(explain(failure))
  else say(Cause.pretty(cause))
}

/**
 * Runs the program until it ends, SIGTERM or SIGINT comes, or its parent is gone. An interrupted
 * program has 10 s for its finalizers. Exits 0, or 1 when it failed or did not stop in time.
 */
export const runMain = <E>(program: Effect.Effect<unknown, E>) => {
  // Before the program begins: it may be told to stop as soon as it says that it is ready.
  const stopping = Promise.withResolvers<void>()
  const stop = () => stopping.resolve()
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)

  const parent = process.env.REELOG_PARENT_PID
  if (parent) {
    setInterval(() => {
      if (String(process.ppid) !== parent) stop()
    }, PARENT_CHECK_MILLIS).unref()
  }

  const surroundings = Layer.merge(environmentLayer(), jsonOnStderr)
  const fiber = Effect.runFork(Effect.provide(program, surroundings))
  fiber.addObserver((exit) => {
    const failed = Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
    if (failed) report(exit.cause)
    process.exit(failed ? 1 : 0)
  })
  // A fiber that only waits would not keep the process alive.
  setInterval(() => {}, 2 ** 31 - 1)

  stopping.promise.then(() => {
    setTimeout(() => {
      say("did not stop in time")
      process.exit(1)
    }, DRAIN_MILLIS)
    Effect.runFork(Fiber.interrupt(fiber))
  })
}
