/** What the video server is told at start; every name is in `docs/configuration.md`. */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Config, Duration } from "effect"
import { Cell } from "#domain/ids.ts"

const listenOn = (text: string) => {
  const { hostname, port } = new URL(`http://${text}`)
  return { hostname, port: Number(port || 80) }
}

export const edgeSettings = Config.all({
  listen: Config.String("REELOG_EDGE_LISTEN").pipe(
    Config.withDefault("127.0.0.1:8081"),
    Config.map(listenOn),
  ),
  cell: Config.schema(Cell, "REELOG_CELL").pipe(Config.withDefault(Cell.make("loc"))),
  cacheDirectory: Config.String("REELOG_EDGE_CACHE").pipe(
    Config.withDefault(join(tmpdir(), "reelog-edge-cache")),
  ),
  cacheBytes: Config.Int("REELOG_EDGE_CACHE_BYTES").pipe(Config.withDefault(2 ** 30)),
  readTimeout: Config.Duration("REELOG_EDGE_READ_TIMEOUT").pipe(
    Config.withDefault(Duration.seconds(5)),
  ),
  maxHeldVideos: Config.Int("REELOG_EDGE_MAX_VIDEOS").pipe(Config.withDefault(2000)),
})
