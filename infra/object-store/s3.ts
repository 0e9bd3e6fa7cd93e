/**
 * The object store over S3's API: the embedded node, AWS, or any other. A condition on a PUT makes
 * the first object stay; who comes later is told that one existed. Retries are the caller's.
 */
import { createReadStream } from "node:fs"
import {
  DeleteObjectsCommand,
  type DeleteObjectsCommandOutput,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3"
import { Clock, Config, Effect, Layer, Option, Redacted, Stream } from "effect"
import {
  type ByteRange,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable,
  type PutOptions,
  type StoredObject,
} from "./port.ts"
import { presigner } from "./presign.ts"

const settings = Config.all({
  endpoint: Config.URL("REELOG_S3_ENDPOINT"),
  publicUrl: Config.option(Config.URL("REELOG_S3_PUBLIC_URL")),
  region: Config.NonEmptyString("REELOG_S3_REGION").pipe(Config.withDefault("local")),
  bucket: Config.NonEmptyString("REELOG_S3_BUCKET").pipe(Config.withDefault("reelog")),
  accessKeyId: Config.NonEmptyString("REELOG_S3_ACCESS_KEY_ID"),
  secretAccessKey: Config.Redacted("REELOG_S3_SECRET_ACCESS_KEY"),
  forcePathStyle: Config.Boolean("REELOG_S3_FORCE_PATH_STYLE").pipe(Config.withDefault(true)),
})

const ignore = () => undefined
/** What goes wrong is in the failure; the SDK's own words on the console are no JSON. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

/** S3's bound for one DeleteObjects. */
const MAX_KEYS = 1000

const statusOf = (cause: unknown) =>
  cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined

const unavailable = (cause: unknown) => new ObjectStoreUnavailable({ cause })

const notFoundOr = (key: string) => (cause: unknown) =>
  statusOf(cause) === 404 ? new ObjectNotFound({ key }) : unavailable(cause)

/** 409: another conditional PUT of the same key was under way (AWS). */
const hasLost = (cause: unknown) => statusOf(cause) === 412 || statusOf(cause) === 409

const rangeHeader = (range: ByteRange | undefined) =>
  range === undefined ? {} : { Range: `bytes=${range.from}-${range.to - 1}` }

/** An S3 range can't be empty. */
const isEmpty = (range: ByteRange | undefined) => range !== undefined && range.to <= range.from

const hexOf = (base64: string) => Buffer.from(base64, "base64").toString("hex")

const bodyOf = (body: Uint8Array | { readonly file: string }) => {
  if (body instanceof Uint8Array) return { Body: body, ContentLength: body.byteLength }
  return { Body: createReadStream(body.file), ContentLength: Bun.file(body.file).size }
}

const refusedKeys = ({ Errors = [] }: DeleteObjectsCommandOutput) =>
  Errors.length === 0
    ? Effect.void
    : Effect.fail(unavailable(new Error(`${Errors.length} objects were not deleted`)))

const open = Effect.gen(function* () {
  const { endpoint, publicUrl, region, bucket, accessKeyId, secretAccessKey, forcePathStyle } =
    yield* settings
  const secret = Redacted.value(secretAccessKey)
  const presign = presigner({
    publicUrl: Option.getOrElse(publicUrl, () => endpoint),
    region,
    bucket,
    accessKeyId,
    secretAccessKey: secret,
    forcePathStyle,
  })
  const client = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new S3Client({
          endpoint: endpoint.href,
          region,
          forcePathStyle,
          credentials: { accessKeyId, secretAccessKey: secret },
          maxAttempts: 1,
          logger: silent,
          // The default checksums break streamed bodies on stores other than AWS.
          requestChecksumCalculation: "WHEN_REQUIRED",
          responseChecksumValidation: "WHEN_REQUIRED",
        }),
    ),
    (opened) => Effect.sync(() => opened.destroy()),
  )

  const etagOfWinner = (key: string) =>
    Effect.tryPromise({
      try: (signal) =>
        client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal }),
      catch: unavailable,
    }).pipe(Effect.map(({ ETag = "" }) => ({ existed: true, etag: ETag })))

  const put = Effect.fn("ObjectStore.put")(function* (
    key: string,
    body: Uint8Array | { readonly file: string },
    options: PutOptions = {},
  ) {
    const written = yield* Effect.tryPromise({
      try: (signal) =>
        client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            ...bodyOf(body),
            ...(options.contentType ? { ContentType: options.contentType } : {}),
            ...(options.overwrite ? {} : { IfNoneMatch: "*" }),
          }),
          { abortSignal: signal },
        ),
      catch: (cause) => (hasLost(cause) ? ("lost" as const) : unavailable(cause)),
    }).pipe(
      Effect.catchIf(
        (failure) => failure === "lost",
        () => Effect.succeed("lost" as const),
      ),
    )
    if (written === "lost") return yield* etagOfWinner(key)
    return { existed: false, etag: written.ETag ?? "" }
  })

  const open = (key: string, range: ByteRange | undefined) =>
    Effect.tryPromise({
      try: (signal) =>
        client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...rangeHeader(range) }), {
          abortSignal: signal,
        }),
      catch: notFoundOr(key),
    })

  const head = Effect.fn("ObjectStore.head")(function* (key: string) {
    const asked = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" })
    const { ContentLength, ETag, LastModified, ChecksumSHA256 } = yield* Effect.tryPromise({
      try: (signal) => client.send(asked, { abortSignal: signal }),
      catch: notFoundOr(key),
    })
    return {
      key,
      byteLength: ContentLength ?? 0,
      etag: ETag ?? "",
      lastModified: LastModified?.getTime() ?? 0,
      ...(ChecksumSHA256 === undefined ? {} : { sha256: hexOf(ChecksumSHA256) }),
    }
  })

  const get = Effect.fn("ObjectStore.get")(function* (key: string, range?: ByteRange) {
    if (isEmpty(range)) return yield* Effect.as(head(key), new Uint8Array())
    const { Body } = yield* open(key, range)
    if (!Body) return new Uint8Array()
    return yield* Effect.tryPromise({
      try: () => Body.transformToByteArray(),
      catch: unavailable,
    })
  })

  const stream = (key: string, range?: ByteRange) =>
    Stream.unwrap(
      Effect.map(open(key, range), ({ Body }) =>
        Body
          ? Stream.fromReadableStream<Uint8Array, ObjectStoreUnavailable>({
              evaluate: () => Body.transformToWebStream(),
              onError: unavailable,
            })
          : Stream.empty,
      ),
    )

  const page = (prefix: string, token: string | undefined) =>
    Effect.tryPromise({
      try: (signal) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            EncodingType: "url",
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          { abortSignal: signal },
        ),
      catch: unavailable,
    }).pipe(
      Effect.map(({ Contents = [], NextContinuationToken }) => {
        const objects = Contents.map(
          ({ Key = "", Size = 0, ETag = "", LastModified }): StoredObject => ({
            key: decodeURIComponent(Key.replaceAll("+", " ")),
            byteLength: Size,
            etag: ETag,
            lastModified: LastModified?.getTime() ?? 0,
          }),
        )
        return [objects, Option.fromNullishOr(NextContinuationToken)] as const
      }),
    )

  const list = (prefix: string) =>
    Stream.paginate(Option.none<string>(), (token) =>
      Effect.map(
        page(prefix, Option.getOrUndefined(token)),
        ([objects, next]) => [objects, Option.map(next, Option.some)] as const,
      ),
    )

  const removePage = (keys: ReadonlyArray<string>) =>
    Effect.tryPromise({
      try: (signal) =>
        client.send(
          new DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
          }),
          { abortSignal: signal },
        ),
      catch: unavailable,
    }).pipe(Effect.flatMap(refusedKeys))

  const remove = Effect.fn("ObjectStore.remove")(function* (keys: ReadonlyArray<string>) {
    for (let from = 0; from < keys.length; from += MAX_KEYS) {
      yield* removePage(keys.slice(from, from + MAX_KEYS))
    }
  })

  return ObjectStore.of({
    put,
    get,
    stream: (key, range) =>
      isEmpty(range) ? Stream.drain(Stream.fromEffect(head(key))) : stream(key, range),
    head,
    list,
    remove,
    presignPut: (asked) => Effect.map(Clock.currentTimeMillis, (now) => presign(asked, now)),
  })
})

export const s3ObjectStore = Layer.effect(ObjectStore, open)
