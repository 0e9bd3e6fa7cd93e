/**
 * Uploads that have begun and not ended, by file and platform, so that the same command after a
 * crash goes on instead of sending everything again. The Idempotency-Key is derived from the
 * file's identity and a nonce that lives as long as its entry: the same file, uploaded again after
 * it was complete, is a new video. Where nothing can be kept, an upload simply can't be resumed.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { Result, Schema } from "effect"

export interface FileIdentity {
  readonly url: string
  readonly path: string
  readonly byteLength: number
  readonly modifiedMillis: number
  readonly title: string
}

const Entry = Schema.fromJsonString(Schema.Struct({ nonce: Schema.String, pid: Schema.Int }))
const readEntry = Schema.decodeUnknownResult(Entry)

const hash = (...words: ReadonlyArray<string>) =>
  new Bun.CryptoHasher("sha256").update(words.join("\n")).digest("hex")

const isAlive = (pid: number) =>
  Result.isSuccess(Result.try(() => process.kill(pid, 0))) && pid !== process.pid

export const stateDirectory = (environment: Readonly<Record<string, string | undefined>>) =>
  join(environment.XDG_STATE_HOME || join(homedir(), ".local", "state"), "reelog", "uploads")

export interface JournalEntry {
  readonly key: string
  readonly isResumed: boolean
  /** The upload is complete, or can't be gone on with. */
  readonly forget: () => void
}

export const openEntry = (directory: string, identity: FileIdentity): JournalEntry => {
  const { url, path, byteLength, modifiedMillis, title } = identity
  const name = hash(url, path, String(byteLength), String(modifiedMillis), title)
  const file = join(directory, `${name}.json`)
  const left = Result.try(() => readFileSync(file, "utf8")).pipe(Result.flatMap(readEntry))
  const known = Result.getOrElse(left, () => undefined)
  const isTaken = known !== undefined && isAlive(known.pid)
  const nonce = known === undefined || isTaken ? crypto.randomUUID() : known.nonce
  // Another process sends the same file now: this one is a second upload, and keeps no entry.
  if (!isTaken) {
    Result.try(() => {
      mkdirSync(directory, { recursive: true })
      writeFileSync(file, JSON.stringify({ nonce, pid: process.pid }), { mode: 0o600 })
    })
  }
  return {
    key: hash(name, nonce),
    isResumed: known !== undefined && !isTaken,
    forget: () => {
      if (!isTaken) Result.try(() => rmSync(file, { force: true }))
    },
  }
}
