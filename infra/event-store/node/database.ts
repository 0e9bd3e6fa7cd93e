/**
 * The node's one SQLite file. Write-ahead log, `synchronous = FULL`: what was acknowledged has been
 * synced, and SQLite drops a torn tail of the log by itself. The lock is exclusive, so that a second
 * node on the same directory refuses to start.
 */
import { Database } from "bun:sqlite"
import { mkdirSync } from "node:fs"
import { join } from "node:path"

const schema = `
  CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL,
    tombstoned INTEGER NOT NULL DEFAULT 0,
    max_age INTEGER,
    max_count INTEGER,
    truncate_before INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES streams (id),
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    is_json INTEGER NOT NULL,
    data BLOB NOT NULL,
    metadata BLOB NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS events_by_revision ON events (stream, revision);
  CREATE INDEX IF NOT EXISTS events_by_id ON events (stream, id);
  CREATE TABLE IF NOT EXISTS groups (
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    checkpoint INTEGER NOT NULL,
    PRIMARY KEY (source, name)
  ) STRICT;
`

const lock = (db: Database, path: string) => {
  try {
    db.run("PRAGMA journal_mode = WAL")
    db.run("BEGIN IMMEDIATE")
    db.run("COMMIT")
  } catch (cause) {
    throw new Error(`${path} is used by another node, or can't be written`, { cause })
  }
}

export const openDatabase = (directory: string): Database => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, "events.sqlite")
  const db = new Database(path, { create: true })
  db.run("PRAGMA locking_mode = EXCLUSIVE")
  lock(db, path)
  db.run("PRAGMA synchronous = FULL")
  db.run("PRAGMA cache_size = -4096")
  db.run("PRAGMA temp_store = MEMORY")
  db.run(schema)
  return db
}
