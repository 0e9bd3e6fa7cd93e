/**
 * The object store as the platform needs it: immutable objects under deterministic keys, written
 * once (`If-None-Match: *`), read whole or by range, listed, deleted, and permission for a client
 * to PUT exactly one object by itself. `s3.ts` is the real one, `memory.ts` for tests, `contract.ts`
 * holds them alike, `node/` is the embedded server.
 */
import { Context, type Effect, Schema, type Stream } from "effect"

export interface StoredObject {
  readonly key: string
  readonly byteLength: number
  readonly etag: string
  readonly lastModified: number
  /** Hex, when the store knows it. A list never tells. */
  readonly sha256?: string
}

/** Half-open, in bytes. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

export interface PutOptions {
  readonly contentType?: string
  /** Overwrites what is there. Default: the first object under a key stays. */
  readonly overwrite?: boolean
}

export class ObjectNotFound extends Schema.TaggedError<ObjectNotFound>()("ObjectNotFound", {
  key: Schema.String,
}) {}

export class ObjectStoreUnavailable extends Schema.TaggedError<ObjectStoreUnavailable>()(
  "ObjectStoreUnavailable",
  { cause: Schema.Defect() },
) {}

export interface PresignedPut {
  readonly key: string
  readonly byteLength: number
  /** Base64, signed into the URL when given; the store refuses other bytes. */
  readonly sha256?: string
  readonly expiresSeconds: number
}

export class ObjectStore extends Context.Service<
  ObjectStore,
  {
    /** Writes an object from memory or from a file. `existed`: another one was there already and stays. */
    readonly put: (
      key: string,
      body: Uint8Array | { readonly file: string },
      options?: PutOptions,
    ) => Effect.Effect<{ readonly existed: boolean; readonly etag: string }, ObjectStoreUnavailable>
    readonly get: (
      key: string,
      range?: ByteRange,
    ) => Effect.Effect<Uint8Array, ObjectNotFound | ObjectStoreUnavailable>
    /** Bytes as they come, in flat memory. */
    readonly stream: (
      key: string,
      range?: ByteRange,
    ) => Stream.Stream<Uint8Array, ObjectNotFound | ObjectStoreUnavailable>
    readonly head: (
      key: string,
    ) => Effect.Effect<StoredObject, ObjectNotFound | ObjectStoreUnavailable>
    /** Every object whose key begins with the prefix, in key order. */
    readonly list: (prefix: string) => Stream.Stream<StoredObject, ObjectStoreUnavailable>
    readonly remove: (keys: ReadonlyArray<string>) => Effect.Effect<void, ObjectStoreUnavailable>
    /** A URL on the public address (`REELOG_S3_PUBLIC_URL`) that permits one PUT of this length, once the bytes are there nothing more. Pure HMAC, no request. */
    readonly presignPut: (put: PresignedPut) => Effect.Effect<URL>
  }
>()("infra/object-store/ObjectStore") {}
