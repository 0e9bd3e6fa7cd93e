/** What stops a command: always a problem with a stable code, whether the platform told it or we found it ourselves. */
import { Schema } from "effect"

export const ProblemBody = Schema.Record(Schema.String, Schema.Json)
export type ProblemBody = typeof ProblemBody.Type

export class Problem extends Schema.TaggedError<Problem>()("Problem", {
  code: Schema.String,
  title: Schema.String,
  status: Schema.optionalKey(Schema.Int),
  /** What else is known: the field that is wrong, the parts that are missing. */
  more: Schema.optionalKey(ProblemBody),
}) {}

/** Found here, before or beside any answer. */
export const problem = (code: string, title: string, more: ProblemBody = {}) =>
  new Problem({ code, title, more })

/** RFC 9457, as `--json` prints it. */
export const problemBody = ({ code, title, status, more }: Problem): ProblemBody => ({
  type: `about:blank#${code}`,
  title,
  code,
  ...(status === undefined ? {} : { status }),
  ...more,
})

/** One sentence for a person. */
export const sentence = ({ code, title, more }: Problem): string => {
  const details = Object.entries(more ?? {})
    .filter(([, value]) => typeof value === "string" || typeof value === "number")
    .map(([name, value]) => `${name}: ${value}`)
  return details.length === 0 ? `${title} (${code})` : `${title} (${code}; ${details.join(", ")})`
}
