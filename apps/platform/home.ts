/**
 * The data directory of an embedded platform: secrets made once, ports found once, and the file by
 * which the command line finds the platform that runs here. A directory has one platform at a time.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"

export interface Secrets {
  readonly secret: string
  readonly personalDataKey: string
  readonly s3AccessKeyId: string
  readonly s3SecretAccessKey: string
  readonly postgresPassword: string
}

export interface Home {
  readonly directory: string
  readonly isNew: boolean
  readonly secrets: Secrets
  readonly ownerToken: string
  readonly ports: Readonly<Record<"eventStore" | "postgres", number>>
}

/** What `platform.json` tells the command line. */
export interface Running {
  readonly pid: number
  readonly url: string
  readonly edgeUrl: string
  readonly s3Url: string
  readonly eventStoreUrl: string
}

const random = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes)))

/** Whole or not at all: a kill in the middle leaves the old file. */
const write = (path: string, text: string, mode = 0o600) => {
  writeFileSync(`${path}.new`, text, { mode })
  chmodSync(`${path}.new`, mode)
  renameSync(`${path}.new`, path)
}

const keep = <A>(path: string, make: () => A): A => {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as A
  const made = make()
  write(path, JSON.stringify(made))
  return made
}

/** The port, when nobody listens on it. */
export const isFree = (port: number) =>
  new Promise<number | undefined>((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(undefined))
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" ? address?.port : undefined))
    })
  })

/**
 * Below the range that outgoing connections get their ports from: there, a client that tries to
 * come back while its server is away can be given the server's port, reach itself, and keep it.
 */
const anyPort = () => 20_000 + Math.floor(Math.random() * 12_000)

/** The port used last time while it is free, else another one. */
const portFor = async (last: number | undefined): Promise<number> => {
  const tries = [last ?? anyPort(), ...Array.from({ length: 100 }, anyPort)]
  for (const port of tries) if ((await isFree(port)) !== undefined) return port
  throw new Error("no free port on 127.0.0.1")
}

/** The platform that runs on this directory, if one does: its pid lives and is a platform's. */
export const runningIn = (directory: string): Running | undefined => {
  const path = join(directory, "platform.json")
  if (!existsSync(path)) return undefined
  const running = JSON.parse(readFileSync(path, "utf8")) as Running
  // In a container an earlier life had the same pid.
  if (running.pid === process.pid) return undefined
  try {
    const command = readFileSync(`/proc/${running.pid}/cmdline`, "utf8")
    return command.includes("apps/platform/main.ts") ? running : undefined
  } catch {
    return undefined
  }
}

/** What lies in them is nobody else's to read, also when the directory itself was there before and is open. Postgres sees to its own. */
const PRIVATE = ["edge", "events", "logs", "objects", "pages", "scratch"]

const closeFolder = (path: string) => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
}

export const openHome = async (directory: string): Promise<Home> => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const at = (name: string) => join(directory, name)
  for (const name of PRIVATE) closeFolder(at(name))
  const isNew = !existsSync(at("owner-token"))
  const secrets = keep(
    at("secrets.json"),
    (): Secrets => ({
      secret: random(32).toString("base64"),
      personalDataKey: random(32).toString("base64"),
      s3AccessKeyId: `reelog${random(8).toString("hex")}`,
      s3SecretAccessKey: random(32).toString("hex"),
      postgresPassword: random(24).toString("hex"),
    }),
  )
  if (isNew) write(at("owner-token"), `${random(32).toString("base64url")}\n`)
  const last = keep(at("ports.json"), (): Partial<Home["ports"]> => ({}))
  const ports = {
    eventStore: await portFor(last.eventStore),
    postgres: await portFor(last.postgres),
  }
  write(at("ports.json"), JSON.stringify(ports))
  const ownerToken = readFileSync(at("owner-token"), "utf8").trim()
  return { directory, isNew, secrets, ownerToken, ports }
}

export const announce = (directory: string, running: Running) =>
  write(join(directory, "platform.json"), JSON.stringify(running))
