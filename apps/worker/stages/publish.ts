/** Stage `Publish`: the last look. Everything that a playlist names, and every picture, is there. */
import { Effect, Schema, Stream } from "effect"
import { manifest, runPrefix } from "#domain/keys.ts"
import { Packaged, Picture, Storyboard } from "#domain/transcode/facts.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { ManifestBroken, stage } from "../stage.ts"

const Input = Schema.Struct({
  manifest: Packaged,
  thumbnails: Schema.optionalKey(Schema.Array(Picture)),
  storyboard: Schema.optionalKey(Storyboard),
})

/** What a playlist names: its plain lines, and the URI attributes of its tags. */
const namedIn = (playlist: string): ReadonlyArray<string> =>
  playlist.split("\n").flatMap((line) => {
    if (!line.startsWith("#")) return line === "" ? [] : [line]
    const [, uri] = /URI="([^"]+)"/.exec(line) ?? []
    return uri === undefined ? [] : [uri]
  })

export const publish = stage(
  Input,
  Effect.fn("stage.publish")(function* (task, { manifest: packaged, thumbnails, storyboard }) {
    const objects = yield* ObjectStore
    const read = (key: string) =>
      objects.get(key).pipe(
        // Chapters are named too, and name nothing.
        Effect.map((bytes) =>
          key.endsWith(".m3u8") ? namedIn(new TextDecoder().decode(bytes)) : [],
        ),
        Effect.catchTag("ObjectNotFound", () => Effect.fail(new ManifestBroken({ missing: key }))),
      )

    // One listing instead of a question for each of thousands of segments.
    const prefix = runPrefix(task.videoId, task.run)
    const media = yield* objects.list(prefix).pipe(Stream.runCollect)
    const there = new Set(media.filter((it) => it.byteLength > 0).map(({ key }) => key))

    const lists = yield* read(packaged.key)
    for (const list of new Set(lists)) {
      const named = yield* read(manifest(task.videoId, task.run, list))
      const missing = named.find((uri) => !there.has(`${prefix}${uri}`))
      if (missing !== undefined) return yield* new ManifestBroken({ missing })
    }
    const pictures = [
      ...(thumbnails ?? []).flatMap(({ key, files }) => files?.map((file) => file.key) ?? [key]),
      ...(storyboard === undefined ? [] : [storyboard.vttKey, ...storyboard.spriteKeys]),
    ]
    yield* Effect.forEach(pictures, (key) =>
      objects
        .head(key)
        .pipe(
          Effect.catchTag("ObjectNotFound", () =>
            Effect.fail(new ManifestBroken({ missing: key })),
          ),
        ),
    )
    return { outputs: {}, cpuSeconds: 0 }
  }),
)
