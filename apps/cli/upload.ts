/** `reelog upload`: a file becomes a video. Begun uploads are gone on with; what is refused is told at once. */
import { statSync } from "node:fs"
import { basename, extname, resolve } from "node:path"
import { Effect, Result } from "effect"
import { isAfter } from "#domain/ids.ts"
import { Api, type PartToSend } from "./api.ts"
import { type JournalEntry, openEntry } from "./journal.ts"
import { findIndex, planParts } from "./parts.ts"
import { type Problem, problem } from "./problem.ts"
import { mebibytes, Screen } from "./screen.ts"
import { sendParts } from "./send.ts"
import { videoText } from "./video-text.ts"
import { type Milestone, watch } from "./watch.ts"

export interface UploadRequest {
  readonly file: string
  readonly title: string | undefined
  readonly wait: Milestone
  /** Where begun uploads are remembered. */
  readonly stateDirectory: string
}

const LONGEST_TITLE = 200

const lookAt = (path: string) =>
  Result.match(
    Result.try(() => statSync(path)),
    {
      onFailure: () => Effect.fail(problem("file_not_found", `There is no file ${path}`)),
      onSuccess: (found) =>
        found.isFile()
          ? Effect.succeed(found)
          : Effect.fail(problem("file_not_regular", `${path} is no regular file`)),
    },
  )

const readingFrom = (file: Blob) => async (offset: number, length: number) =>
  new Uint8Array(await file.slice(offset, offset + length).arrayBuffer())

interface Begun {
  readonly videoId: string
  readonly missing: ReadonlyArray<PartToSend>
  readonly entry: JournalEntry
}

type Form = Parameters<Api["Service"]["createVideo"]>[1]

/** An upload that ended meanwhile (expired, or complete but for the answer) is not gone on with. */
const begin = Effect.fnUntraced(function* (
  open: () => JournalEntry,
  form: Form,
): Effect.fn.Return<Begun, Problem, Api> {
  const api = yield* Api
  const entry = open()
  const { videoId, parts } = yield* api.createVideo(entry.key, form).pipe(
    Effect.tapError(({ status }) =>
      Effect.sync(() => {
        if (status !== undefined && status < 500) entry.forget()
      }),
    ),
  )
  if (!entry.isResumed) return { videoId, missing: parts, entry }
  const { state, missing } = yield* api.upload(videoId)
  if (state === "receiving") return { videoId, missing, entry }
  entry.forget()
  const { key, ...fresh } = open()
  const again = yield* api.createVideo(key, form)
  return { videoId: again.videoId, missing: again.parts, entry: { key, ...fresh } }
})

/** Positions are decimal strings; what must be read has both. */
const later = (one: string | undefined, other: string | undefined) => {
  if (one === undefined || other === undefined) return one ?? other
  return isAfter(one, other) ? one : other
}

export const upload = Effect.fn("upload")(function* (request: UploadRequest) {
  const api = yield* Api
  const screen = yield* Screen
  const path = resolve(request.file)
  const { size: byteLength, mtimeMs: modifiedMillis } = yield* lookAt(path)
  const file = Bun.file(path)
  const fileName = basename(path)
  const title = (request.title ?? basename(path, extname(path))).slice(0, LONGEST_TITLE)
  const index = yield* Effect.promise(() => findIndex(readingFrom(file), byteLength))
  const { parts, first } = planParts(byteLength, index)

  const identity = { url: api.url, path, byteLength, modifiedMillis, title }
  const open = () => openEntry(request.stateDirectory, identity)
  const { videoId, missing, entry } = yield* begin(open, { title, fileName, byteLength, parts })
  yield* screen.fact({ event: "created", videoId, title, byteLength })
  yield* screen.say(
    `${entry.isResumed ? "going on with" : "uploading"} ${fileName} (${mebibytes(byteLength)}) as ${videoId}`,
  )

  const watched = yield* watch(videoId, request.wait)
  const reached = watched.reached.pipe(
    Effect.tapError(({ code }) =>
      Effect.sync(() => {
        if (code !== "platform_unreachable") entry.forget()
      }),
    ),
  )
  const sending = Effect.gen(function* () {
    yield* sendParts({ videoId, file, first }, missing)
    const { position } = yield* api.complete(videoId)
    entry.forget()
    yield* screen.fact({ event: "uploaded", videoId })
    return position
  })
  const wanted = request.wait === "uploaded" ? Effect.undefined : reached
  const done = Effect.all([sending, wanted], { concurrency: 2 })
  // A source that is refused while it is still being sent ends the sending.
  const refused = Effect.andThen(reached, Effect.never)
  const [uploadedAt, reachedAt] = yield* Effect.raceFirst(done, refused)
  const after = later(uploadedAt, reachedAt)
  const video = yield* api.video(videoId, after === undefined ? {} : { after })
  yield* screen.result(video, ...videoText(video))
}, Effect.scoped)
