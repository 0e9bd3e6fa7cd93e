/**
 * The index of the store: which object is which blob. One SQLite file, flushed at each commit;
 * changes that arrive while a commit is under way share the next one.
 */
import { Database } from "bun:sqlite"
import { join } from "node:path"

export interface ObjectRow {
  readonly bucket: string
  readonly key: string
  readonly blob: string
  readonly byteLength: number
  readonly etag: string
  readonly lastModified: number
  readonly sha256: string | null
  /** JSON of the headers that are given back: type, disposition, `x-amz-meta-`. */
  readonly headers: string
}

export interface UploadRow {
  readonly id: string
  readonly bucket: string
  readonly key: string
  readonly headers: string
  readonly startedAt: number
}

export interface PartRow {
  readonly uploadId: string
  readonly number: number
  readonly blob: string
  readonly byteLength: number
  readonly etag: string
  readonly lastModified: number
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, blob TEXT NOT NULL, byteLength INTEGER NOT NULL,
    etag TEXT NOT NULL, lastModified INTEGER NOT NULL, sha256 TEXT, headers TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS objects_blob ON objects (blob);
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT NOT NULL PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL,
    startedAt INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (
    uploadId TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL,
    byteLength INTEGER NOT NULL, etag TEXT NOT NULL, lastModified INTEGER NOT NULL,
    PRIMARY KEY (uploadId, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS parts_blob ON parts (blob);
`

/** Above every key that begins with the prefix; keys hold no U+10FFFF, which is no character. */
export const LAST = "\u{10FFFF}"

const openDatabase = (root: string) => {
  const database = new Database(join(root, "index.sqlite"), { create: true, strict: true })
  // Exclusive: a second process on the same folder fails at once instead of sweeping our files.
  database.run("PRAGMA locking_mode = EXCLUSIVE")
  database.run("PRAGMA journal_mode = WAL")
  database.run("PRAGMA synchronous = FULL")
  database.run(SCHEMA)
  return database
}

interface Change {
  readonly run: () => void
  readonly settle: (failure: unknown) => void
}

/** Runs each change in the next transaction, which holds all that arrived meanwhile. */
const groupCommit = (database: Database) => {
  let waiting: Array<Change> = []
  const commit = database.transaction((changes: ReadonlyArray<Change>) => {
    for (const { run } of changes) run()
  })
  const flush = async () => {
    const changes = waiting
    waiting = []
    const failure = await Promise.try(() => commit.immediate(changes)).then(
      () => undefined,
      (cause: unknown) => cause ?? new Error("The commit failed"),
    )
    for (const { settle } of changes) settle(failure)
  }
  return <T>(change: () => T): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    let result: { readonly value: T } | undefined
    if (waiting.length === 0) setImmediate(flush)
    waiting.push({
      run: () => {
        result = { value: change() }
      },
      settle: (failure) => (result && !failure ? resolve(result.value) : reject(failure)),
    })
    return promise
  }
}

const statements = (database: Database) => ({
  object: database.query<ObjectRow, [string, string]>(
    "SELECT * FROM objects WHERE bucket = ? AND key = ?",
  ),
  put: database.query<
    null,
    [string, string, string, number, string, number, string | null, string]
  >("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
  remove: database.query<null, [string, string]>(
    "DELETE FROM objects WHERE bucket = ? AND key = ?",
  ),
  range: database.query<ObjectRow, [string, string, string, string, number]>(
    "SELECT * FROM objects WHERE bucket = ? AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
  ),
  isBlob: database.query<{ readonly one: 1 }, [string, string]>(
    "SELECT 1 AS one FROM objects WHERE blob = ? UNION ALL SELECT 1 FROM parts WHERE blob = ?",
  ),
  upload: database.query<UploadRow, [string]>("SELECT * FROM uploads WHERE id = ?"),
  addUpload: database.query<null, [string, string, string, string, number]>(
    "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)",
  ),
  removeUpload: database.query<null, [string]>("DELETE FROM uploads WHERE id = ?"),
  parts: database.query<PartRow, [string]>(
    "SELECT * FROM parts WHERE uploadId = ? ORDER BY number",
  ),
  part: database.query<PartRow, [string, number]>(
    "SELECT * FROM parts WHERE uploadId = ? AND number = ?",
  ),
  putPart: database.query<null, [string, number, string, number, string, number]>(
    "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
  ),
  removeParts: database.query<null, [string]>("DELETE FROM parts WHERE uploadId = ?"),
})

/** Reads see what is committed; every function under `change` runs inside a change alone. */
export const openCatalogue = (root: string) => {
  const database = openDatabase(root)
  const sql = statements(database)
  return {
    commit: groupCommit(database),
    object: (bucket: string, key: string) => sql.object.get(bucket, key),
    /** Objects after `after` (exclusive) that begin with the prefix, in the order of their bytes. */
    range: (bucket: string, prefix: string, after: string, limit: number) =>
      sql.range.all(bucket, after, prefix, prefix + LAST, limit),
    isBlob: (blob: string) => sql.isBlob.get(blob, blob) !== null,
    upload: (id: string) => sql.upload.get(id),
    parts: (uploadId: string) => sql.parts.all(uploadId),
    part: (uploadId: string, number: number) => sql.part.get(uploadId, number),
    change: {
      put: (row: ObjectRow) => {
        const { bucket, key, blob, byteLength, etag, lastModified, sha256, headers } = row
        sql.put.run(bucket, key, blob, byteLength, etag, lastModified, sha256, headers)
      },
      remove: (bucket: string, key: string) => sql.remove.run(bucket, key),
      addUpload: ({ id, bucket, key, headers, startedAt }: UploadRow) =>
        sql.addUpload.run(id, bucket, key, headers, startedAt),
      putPart: ({ uploadId, number, blob, byteLength, etag, lastModified }: PartRow) =>
        sql.putPart.run(uploadId, number, blob, byteLength, etag, lastModified),
      removeUpload: (id: string) => {
        sql.removeParts.run(id)
        sql.removeUpload.run(id)
      },
    },
    close: () => database.close(),
  }
}

export type Catalogue = ReturnType<typeof openCatalogue>
