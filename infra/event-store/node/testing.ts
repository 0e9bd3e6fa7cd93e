/** A node of its own for a test: a process on a free port with an empty directory, that can be killed and come back. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const main = join(import.meta.dir, "main.ts")

const firstLine = async (output: ReadableStream<Uint8Array>) => {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of output) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes("\n")) break
  }
  return text.split("\n")[0] ?? ""
}

const launch = async (listen: string, directory: string) => {
  const child = Bun.spawn([process.execPath, main], {
    env: {
      ...process.env,
      REELOG_EVENTSTORE_LISTEN: listen,
      REELOG_EVENTSTORE_DATA: directory,
      REELOG_PARENT_PID: String(process.pid),
    },
    stdout: "pipe",
    stderr: "inherit",
  })
  const line = await firstLine(child.stdout)
  const { ready }: { ready: string } = JSON.parse(line)
  return { child, url: ready }
}

export interface TestNode {
  readonly url: string
  readonly directory: string
  readonly pid: () => number
  /** Ends the process and waits for it. */
  readonly kill: (signal?: "SIGKILL" | "SIGTERM") => Promise<number>
  /** Starts it again where it was. */
  readonly start: () => Promise<void>
  /** Ends it for good and removes its directory. */
  readonly dispose: () => Promise<void>
}

export const spawnNode = async (): Promise<TestNode> => {
  const directory = mkdtempSync(join(tmpdir(), "reelog-events-"))
  let running = await launch("127.0.0.1:0", directory)
  const { url } = running
  const { host } = new URL(url.replace("esdb:", "http:"))

  const kill = async (signal: "SIGKILL" | "SIGTERM" = "SIGKILL") => {
    running.child.kill(signal)
    return await running.child.exited
  }

  return {
    url,
    directory,
    pid: () => running.child.pid,
    kill,
    start: async () => {
      running = await launch(host, directory)
    },
    dispose: async () => {
      await kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
