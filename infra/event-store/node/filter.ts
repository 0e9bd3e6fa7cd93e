/** Which events of `$all` a subscriber wants: prefixes or a regular expression, of stream names or of types. */
import type { Stored } from "./record.ts"

export interface FilterRequest {
  readonly on: "stream" | "type"
  readonly prefixes: ReadonlyArray<string>
  readonly regex: string
}

interface FilterExpression {
  readonly getRegex: () => string
  readonly getPrefixList: () => Array<string>
}

export interface FilterMessage {
  readonly getStreamIdentifier: () => FilterExpression | undefined
  readonly getEventType: () => FilterExpression | undefined
}

export const filterRequestOf = (filter: FilterMessage): FilterRequest => {
  const byStream = filter.getStreamIdentifier()
  const expression = byStream ?? filter.getEventType()
  return {
    on: byStream === undefined ? "type" : "stream",
    prefixes: expression?.getPrefixList() ?? [],
    regex: expression?.getRegex() ?? "",
  }
}

export type Wanted = (event: Stored) => boolean

export const everything: Wanted = () => true

/** The expression by which clients leave out the events of the store itself. */
const NOT_OF_THE_SYSTEM = "^[^$].*"

const matcher = ({ prefixes, regex }: FilterRequest): ((text: string) => boolean) => {
  if (regex === NOT_OF_THE_SYSTEM) return (text) => text !== "" && !text.startsWith("$")
  if (regex !== "") {
    const expression = new RegExp(regex)
    return (text) => expression.test(text)
  }
  const [only] = prefixes
  if (prefixes.length === 1 && only !== undefined) return (text) => text.startsWith(only)
  return (text) => prefixes.some((prefix) => text.startsWith(prefix))
}

/** Throws a `SyntaxError` when the expression is none. */
export const wantedBy = (request: FilterRequest): Wanted => {
  const matches = matcher(request)
  return request.on === "stream" ? ({ stream }) => matches(stream) : ({ type }) => matches(type)
}
