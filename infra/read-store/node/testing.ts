/** An embedded Postgres for a test file: a process of its own on a free port, in a directory of its own. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A first start on a busy machine. */
export const START_MILLIS = 60_000

export interface TestPostgres {
  /** What `REELOG_DATABASE_URLS` is set to. */
  readonly urls: ReadonlyArray<string>
  readonly pid: number
  readonly directory: string
  readonly stop: () => Promise<void>
}

const firstLine = async (output: ReadableStream<Uint8Array>): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ""
  for await (const bytes of output) {
    text += decoder.decode(bytes)
    if (text.includes("\n")) break
  }
  return text.slice(0, text.indexOf("\n"))
}

export const newDirectory = () => mkdtempSync(join(tmpdir(), "reelog-postgres-"))

export const startPostgres = async (directory = newDirectory()): Promise<TestPostgres> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts")], {
    env: {
      PATH: process.env.PATH,
      REELOG_POSTGRES_DATA: directory,
      REELOG_PARENT_PID: String(process.pid),
    },
    stdout: "pipe",
    stderr: "ignore",
  })
  const { ready } = JSON.parse(await firstLine(child.stdout))
  const stop = async () => {
    child.kill("SIGTERM")
    await child.exited
    rmSync(directory, { recursive: true, force: true })
  }
  return { urls: ready, pid: child.pid, directory, stop }
}
