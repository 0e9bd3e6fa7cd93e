/** A platform of one's own for a test: started as a person starts it, on free ports and a new directory; its processes can be killed one by one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Effect } from "effect"
import type { Running, Secrets } from "./home.ts"
import { signInLink } from "./sign-in.ts"

const root = resolve(import.meta.dir, "../..")
const START_MILLIS = 90_000

/** Three ports in a row that are free now. */
const freePorts = async (): Promise<number> => {
  const taken = (port: number) =>
    new Promise<boolean>((done) => {
      const probe = createServer().once("error", () => done(true))
      probe.listen(port, "127.0.0.1", () => probe.close(() => done(false)))
    })
  for (let tries = 0; tries < 100; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (!(await taken(port)) && !(await taken(port + 1)) && !(await taken(port + 2))) return port
  }
  throw new Error("no three free ports in a row")
}

const parentOf = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]
  } catch {
    return undefined
  }
}

/** The process and all below it, as they are now. */
export const treeOf = (pid: number): ReadonlyArray<number> => {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  const below = new Map<string, Array<string>>()
  for (const child of pids) {
    const parent = parentOf(child)
    if (parent !== undefined) below.set(parent, [...(below.get(parent) ?? []), child])
  }
  const walk = (one: string): Array<string> => [one, ...(below.get(one) ?? []).flatMap(walk)]
  return walk(String(pid)).map(Number)
}

const commandOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return ""
  }
}

export const isAlive = (pid: number) => commandOf(pid) !== ""

/** It may have ended by itself a moment ago. */
const kill = (pid: number) => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    return
  }
}

/** Those that still run after a moment in which the killed may disappear. */
export const survivors = async (pids: ReadonlyArray<number>): Promise<ReadonlyArray<number>> => {
  for (let tries = 0; tries < 50 && pids.some(isAlive); tries++) await Bun.sleep(100)
  return pids.filter(isAlive)
}

export interface TestPlatform {
  readonly directory: string
  readonly url: string
  readonly edgeUrl: string
  readonly storeUrl: string
  readonly token: string
  readonly eventStoreUrl: string
  readonly pid: number
  /** Pids of the processes whose command line holds this text, the platform's own below it. */
  readonly pidsOf: (text: string) => ReadonlyArray<number>
  readonly tree: () => ReadonlyArray<number>
  /** SIGKILL to the whole tree at once. */
  readonly killAll: () => Promise<void>
  readonly stop: () => Promise<number>
  /** Starts again on the same directory. */
  readonly again: () => Promise<TestPlatform>
  readonly call: (path: string, init?: RequestInit) => Promise<Response>
}

interface Options {
  readonly workers?: number
  /** Settings beside those of the test's own environment. */
  readonly env?: Readonly<Record<string, string>>
}

const startOn = async (
  directory: string,
  port: number,
  { workers = 2, env = {} }: Options,
): Promise<TestPlatform> => {
  const child = Bun.spawn(
    [
      process.execPath,
      "--no-orphans",
      join(root, "apps/platform/main.ts"),
      "--data",
      directory,
      "--port",
      `${port}`,
      "--workers",
      `${workers}`,
    ],
    {
      cwd: root,
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...env, NODE_ENV: "production" },
    },
  )
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MILLIS)
  const errors = new Response(child.stderr).text()
  const reader = child.stdout.getReader()
  let said = ""
  while (!said.includes("\n")) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`the platform did not start: ${said}${await errors}`)
    said += new TextDecoder().decode(value)
  }
  clearTimeout(timer)
  void reader.cancel()
  const running = JSON.parse(readFileSync(join(directory, "platform.json"), "utf8")) as Running
  const token = readFileSync(join(directory, "owner-token"), "utf8").trim()
  const tree = () => treeOf(child.pid)
  return {
    directory,
    token,
    url: running.url,
    edgeUrl: running.edgeUrl,
    storeUrl: running.s3Url,
    eventStoreUrl: running.eventStoreUrl,
    pid: child.pid,
    tree,
    pidsOf: (text) => tree().filter((pid) => pid !== child.pid && commandOf(pid).includes(text)),
    killAll: async () => {
      for (const pid of tree()) kill(pid)
      await child.exited
    },
    stop: async () => {
      child.kill("SIGTERM")
      return child.exited
    },
    again: () => startOn(directory, port, { workers, env }),
    call: (path, init = {}) =>
      fetch(`${running.url}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          ...init.headers,
        },
      }),
  }
}

export const startPlatform = async (options: Options = {}) =>
  startOn(mkdtempSync(join(tmpdir(), "reelog-")), await freePorts(), options)

/** Removes its directory; `REELOG_KEEP=1` keeps it for a look at the logs. */
export const forget = (platform: TestPlatform) => {
  if (process.env.REELOG_KEEP) console.log(`kept: ${platform.directory}`)
  else rmSync(platform.directory, { recursive: true, force: true })
}

/** Runs the command line against a platform; its last line of `--json`. */
export const reelog = async (platform: TestPlatform, ...words: ReadonlyArray<string>) => {
  const child = Bun.spawn([process.execPath, join(root, "apps/cli/main.ts"), ...words, "--json"], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, REELOG_URL: platform.url, REELOG_TOKEN: platform.token },
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const exit = await child.exited
  const lines = out.trim().split("\n").filter(Boolean)
  return { exit, lines, result: JSON.parse(lines.at(-1) ?? "null"), err }
}

export const secretsOf = ({ directory }: TestPlatform): Secrets =>
  JSON.parse(readFileSync(join(directory, "secrets.json"), "utf8"))

/** A link that signs the owner in, once. */
export const linkOf = (platform: TestPlatform): Promise<string> => {
  const home = { secrets: secretsOf(platform), ownerToken: platform.token }
  return Effect.runPromise(signInLink(home, platform.url))
}

/** The owner's session, as a browser gets it by such a link. */
export const sessionOf = async (platform: TestPlatform) => {
  const { headers } = await fetch(await linkOf(platform), { redirect: "manual" })
  const [pair = ""] = (headers.get("set-cookie") ?? "").split(";")
  const [name = "", value = ""] = pair.split("=")
  return { name, value }
}

/**
 * A video made on the spot: a test picture with a counter and a tone, so many seconds long. Its
 * colours and its tone are its name's: what was encoded of one is not reused for another.
 */
export const madeVideo = (directory: string, name: string, seconds: number, size = "640x360") => {
  const path = join(directory, name)
  const hue = Number(Bun.hash(name) % 360n)
  const made = Bun.spawnSync([
    "ffmpeg",
    "-nostdin",
    "-v",
    "error",
    "-y",
    "-f",
    "lavfi",
    "-i",
    `testsrc2=size=${size}:rate=25:duration=${seconds},hue=h=${hue}`,
    "-f",
    "lavfi",
    "-i",
    `sine=frequency=${440 + hue}:sample_rate=48000:duration=${seconds}`,
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "50",
    "-pix_fmt",
    "yuv420p",
    "-c:a",
    "aac",
    "-b:a",
    "96k",
    "-movflags",
    "+faststart",
    path,
  ])
  if (made.exitCode !== 0) throw new Error(made.stderr.toString())
  return path
}

/** A file of the folder of test videos that `REELOG_MEDIA` names, when there is one. */
export const corpus = (name: string): string | undefined => {
  const folder = process.env.REELOG_MEDIA
  const path = folder && join(folder, name)
  return path && Bun.file(path).size > 0 ? path : undefined
}

/** Follows the video's own event stream until something of this kind is told. */
export const until = async (
  platform: TestPlatform,
  id: string,
  wanted: (event: string, data: string) => boolean,
) => {
  const answer = await platform.call(`/v1/videos/${id}/events`, {
    signal: AbortSignal.timeout(90_000),
  })
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  while (reader !== undefined) {
    const { value, done } = await reader.read()
    if (done) throw new Error("the event stream ended")
    text += value
    const frames = text.split("\n\n")
    text = frames.pop() ?? ""
    for (const frame of frames) {
      const event = /^event: (.*)$/m.exec(frame)?.[1] ?? ""
      if (wanted(event, /^data: (.*)$/m.exec(frame)?.[1] ?? "")) {
        await reader.cancel()
        return
      }
    }
  }
}
