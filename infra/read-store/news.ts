/**
 * How a commit is told to every process that listens: one payload for each transaction, which
 * Postgres delivers after the commit or not at all. Payloads are bounded by Postgres.
 */
import { Option, Schema } from "effect"

export const CHANNEL = "reelog_rows"

/** Postgres takes less than 8000 bytes. */
const LONGEST_PAYLOAD = 7_900

const Commit = Schema.Struct({
  position: Schema.String,
  /** Keys of the rows that changed, by model; `*`: too many to name. */
  models: Schema.Record(
    Schema.String,
    Schema.Union([Schema.Array(Schema.String), Schema.Literal("*")]),
  ),
})
export type CommitNews = typeof Commit.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Commit))

export const readNews = (payload: string): CommitNews | undefined =>
  Option.getOrUndefined(decode(payload))

export const writeNews = (news: CommitNews): string => {
  const whole = JSON.stringify(news)
  if (Buffer.byteLength(whole) <= LONGEST_PAYLOAD) return whole
  const models = Object.keys(news.models).map((model) => [model, "*"] as const)
  return JSON.stringify({ ...news, models: Object.fromEntries(models) })
}
