/** Which platform is meant: the one that runs in `--data`, else `REELOG_URL`, else the one in `.reelog/`. */
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect, Option, Result, Schema } from "effect"
import { type Problem, problem } from "./problem.ts"

export interface Connection {
  readonly url: string
  /** Absent: only what anyone may read. */
  readonly token: string | undefined
}

/** What the platform leaves in its data directory. */
const Running = Schema.fromJsonString(Schema.Struct({ url: Schema.String }))
const readRunning = Schema.decodeUnknownResult(Running)

type Environment = Readonly<Record<string, string | undefined>>

const contentsOf = (path: string): string | undefined =>
  Result.getOrElse(
    Result.try(() => readFileSync(path, "utf8").trim()),
    () => undefined,
  )

const inDirectory = (data: string): Effect.Effect<Connection, Problem> => {
  const directory = resolve(data)
  const told = contentsOf(join(directory, "platform.json"))
  const running = Result.getOrElse(readRunning(told ?? ""), () => undefined)
  if (running === undefined) {
    const title = `No platform has been started on ${directory}`
    return Effect.fail(problem("platform_not_found", title))
  }
  const token = contentsOf(join(directory, "owner-token"))
  return Effect.succeed({ url: running.url.replace(/\/+$/, ""), token })
}

export const findPlatform = (
  data: Option.Option<string>,
  environment: Environment = process.env,
): Effect.Effect<Connection, Problem> => {
  if (Option.isSome(data)) return inDirectory(data.value)
  const { REELOG_URL, REELOG_TOKEN, REELOG_TOKEN_FILE } = environment
  if (!REELOG_URL) return inDirectory(".reelog")
  if (!URL.canParse(REELOG_URL)) {
    return Effect.fail(problem("setting_malformed", "REELOG_URL is no URL"))
  }
  const token = REELOG_TOKEN || (REELOG_TOKEN_FILE && contentsOf(REELOG_TOKEN_FILE)) || undefined
  return Effect.succeed({ url: REELOG_URL.replace(/\/+$/, ""), token })
}
