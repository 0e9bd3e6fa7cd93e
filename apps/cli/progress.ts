/** What the platform tells about a video while it works: its server-sent events, over as many connections as it takes. */
import { Effect, Result, Schedule, Schema, Stream } from "effect"
import { Api } from "./api.ts"
import { type Problem, problem } from "./problem.ts"

const Upload = Schema.Struct({ receivedBytes: Schema.Finite, byteLength: Schema.Finite })
const Rendition = Schema.Struct({
  rung: Schema.String,
  done: Schema.Int,
  total: Schema.Int,
})
const Failed = Schema.Struct({ code: Schema.String })
const TakenDown = Schema.Struct({ reason: Schema.optionalKey(Schema.String) })
const Nothing = Schema.Struct({})

export type Told =
  | ({ readonly event: "upload" } & typeof Upload.Type)
  | ({ readonly event: "rendition" } & typeof Rendition.Type)
  | { readonly event: "playable" | "published" }
  | ({ readonly event: "failed" } & typeof Failed.Type)
  | ({ readonly event: "taken-down" } & typeof TakenDown.Type)

export interface Placed {
  readonly position: string | undefined
  readonly told: Told
}

const read = <A, I>(schema: Schema.Codec<A, I>, text: string): A | undefined =>
  Result.getOrElse(Schema.decodeResult(Schema.fromJsonString(schema))(text), () => undefined)

const toldBy = (event: string, text: string): Told | undefined => {
  switch (event) {
    case "upload": {
      const fields = read(Upload, text)
      return fields && { event, ...fields }
    }
    case "rendition": {
      const fields = read(Rendition, text)
      return fields && { event, ...fields }
    }
    case "playable":
    case "published":
      return read(Nothing, text || "{}") && { event }
    case "failed": {
      const fields = read(Failed, text)
      return fields && { event, ...fields }
    }
    case "taken-down": {
      const fields = read(TakenDown, text || "{}")
      return fields && { event, ...fields }
    }
    default:
      return undefined
  }
}

/** One event of a stream: the lines between two empty ones (HTML §9.2.6). Comments and what we don't know say nothing. */
export const parseEvent = (lines: ReadonlyArray<string>): Placed | undefined => {
  const fields = lines.flatMap((line) => {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  const last = (wanted: string) => fields.findLast(([name]) => name === wanted)?.[1]
  const text = fields.flatMap(([name, value]) => (name === "data" ? [value] : [])).join("\n")
  const told = toldBy(last("event") ?? "", text)
  return told && { position: last("id"), told }
}

const eventsIn = <E>(text: Stream.Stream<string, E>): Stream.Stream<Placed, E> =>
  text.pipe(
    Stream.splitLines,
    Stream.mapAccum(
      (): ReadonlyArray<string> => [],
      (lines, line) => {
        if (line !== "") return [[...lines, line], []] as const
        const event = parseEvent(lines)
        return [[], event === undefined ? [] : [event]] as const
      },
    ),
  )

/** The platform has said no: another connection would hear the same. */
const isFinal = ({ status }: Problem) => status !== undefined && status < 500

const reconnect = Schedule.min([
  Schedule.exponential("100 millis"),
  Schedule.spaced("2 seconds"),
]).pipe(
  Schedule.jittered,
  Schedule.upTo({ duration: "2 minutes" }),
  Schedule.setInputType<Problem>(),
  Schedule.while(({ input }) => !isFinal(input)),
)

/** Every event once, in order, until the reader has enough. Away for two minutes on end: fails. */
export const follow = Effect.fnUntraced(function* (videoId: string) {
  const api = yield* Api
  let after: string | undefined
  const connection = Stream.suspend(() => eventsIn(api.events(videoId, after))).pipe(
    Stream.tap(({ position }) =>
      Effect.sync(() => {
        after = position ?? after
      }),
    ),
  )
  // A connection that ends in order, or is silent, is opened again like a broken one.
  const ended = Stream.fail(problem("platform_unreachable", `${api.url} tells nothing any more`))
  return Stream.concat(connection, ended).pipe(Stream.retry(reconnect))
})
