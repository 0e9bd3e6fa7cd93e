/** What the API is told at start; every name is in `docs/configuration.md`. */
import { Config, Context, Layer } from "effect"
import { Cell } from "#domain/ids.ts"

export interface Listen {
  readonly hostname: string
  readonly port: number
}

export const listenOn = (text: string): Listen => {
  const { hostname, port } = new URL(`http://${text}`)
  return { hostname, port: Number(port || 80) }
}

const origin = (name: string, fallback: string) =>
  Config.String(name).pipe(
    Config.withDefault(fallback),
    Config.map((url) => url.replace(/\/+$/, "")),
  )

const settings = Config.all({
  listen: Config.String("REELOG_LISTEN").pipe(
    Config.withDefault("127.0.0.1:8080"),
    Config.map(listenOn),
  ),
  publicUrl: origin("REELOG_PUBLIC_URL", "http://127.0.0.1:8080"),
  edgeUrl: origin("REELOG_EDGE_URL", "http://127.0.0.1:8081"),
  cell: Config.schema(Cell, "REELOG_CELL").pipe(Config.withDefault(Cell.make("loc"))),
  centre: Config.String("REELOG_UPLOAD_CENTRE").pipe(Config.withDefault("local")),
  maxUploadBytes: Config.Int("REELOG_MAX_UPLOAD_BYTES").pipe(Config.withDefault(2 ** 30)),
  /** Connections to `/v1/videos/{id}/events`, in one process. */
  maxEventStreams: Config.Int("REELOG_MAX_EVENT_STREAMS").pipe(Config.withDefault(1000)),
  partUrlSeconds: Config.Int("REELOG_PART_URL_SECONDS").pipe(Config.withDefault(3600)),
})

export class ApiSettings extends Context.Service<ApiSettings, Config.Success<typeof settings>>()(
  "apps/api/ApiSettings",
) {}

export const apiSettings = Layer.effect(ApiSettings, settings)
