/**
 * One Postgres cluster in a directory: made when it is not there, freed from a postmaster that
 * nobody minds any more, run once. Small on purpose: it serves one platform on one machine.
 */
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Effect, Schedule, Schema } from "effect"
import postgres from "postgres"
import type { Programs, Wrapping } from "./programs.ts"

export interface Settings {
  readonly directory: string
  /** 0: the one it had before, else a free one. */
  readonly port: number
  /** Undefined: whoever reaches the loopback port may read and write. */
  readonly password: string | undefined
  readonly databases: number
}

export class PostgresFailed extends Schema.TaggedError<PostgresFailed>()("PostgresFailed", {
  step: Schema.String,
  detail: Schema.String,
}) {}

const small = {
  shared_buffers: "16MB",
  max_connections: "60",
  jit: "off",
  io_method: "sync",
  max_parallel_workers: "0",
  max_worker_processes: "0",
  max_wal_senders: "0",
  wal_level: "minimal",
  max_wal_size: "256MB",
  min_wal_size: "64MB",
  autovacuum_naptime: "5min",
  autovacuum_max_workers: "1",
  bgwriter_delay: "10s",
  wal_writer_delay: "1s",
  checkpoint_timeout: "15min",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  log_min_messages: "fatal",
}

const clusterOf = (directory: string) => join(directory, "cluster")

// Making

const own = (path: string, user: number) => {
  chownSync(path, user, user)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) own(inside, user)
    else chownSync(inside, user, user)
  }
}

const asUser = ({ user }: Wrapping) => (user === undefined ? {} : { uid: user, gid: user })

/** A thousand small files, each with its own fsync, take seconds on a busy disk. */
const syncedAtOnce = process.platform === "linux" ? ["--sync-method=syncfs"] : []

const initialize = Effect.fn("initialize")(function* (
  { directory, password }: Settings,
  programs: Programs,
  wrapping: Wrapping,
) {
  const cluster = clusterOf(directory)
  const fresh = `${cluster}.new`
  const passwordFile = join(fresh, "..", "password.new")
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true, mode: 0o700 })
  writeFileSync(passwordFile, `${password ?? crypto.randomUUID()}\n`, { mode: 0o600 })
  if (wrapping.user !== undefined) own(directory, wrapping.user)
  const command = [...wrapping.before, programs.initdb, "-D", fresh, "-U", "postgres"]
  const how = [
    "-E",
    "UTF8",
    "--locale=C",
    "--auth=scram-sha-256",
    `--pwfile=${passwordFile}`,
    ...syncedAtOnce,
  ]
  const child = Bun.spawn([...command, ...how], {
    ...asUser(wrapping),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  const [code, detail] = yield* Effect.promise(() =>
    Promise.all([child.exited, new Response(child.stderr).text()]),
  )
  rmSync(passwordFile)
  if (code !== 0) return yield* new PostgresFailed({ step: "initdb", detail })
  // Only a whole cluster gets the name: initdb may be killed half way.
  renameSync(fresh, cluster)
})

// The one that nobody minds

const isPostgresOf = (pid: number, cluster: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(cluster)
  } catch {
    return false
  }
}

const untilGone = (pid: number, cluster: string, seconds: number) =>
  Effect.sync(() => isPostgresOf(pid, cluster)).pipe(
    Effect.repeat({ while: (runs) => runs, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOption(`${seconds} seconds`),
  )

/** Processes of Postgres that work in the cluster's directory: of a postmaster that was killed, some may live on and hold its memory. */
const workersOf = (cluster: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const isHere = readlinkSync(`/proc/${pid}/cwd`) === cluster
        return isHere && readlinkSync(`/proc/${pid}/exe`).endsWith("/postgres")
      } catch {
        return false
      }
    })
    .map(Number)

const signalTo = (pid: number, signal: NodeJS.Signals) =>
  Effect.ignore(Effect.try({ try: () => process.kill(pid, signal), catch: () => undefined }))

/** Asked first to end in order, then to drop all, then killed: the log of Postgres itself repairs the rest. */
export const stopOrphan = Effect.fn("stopOrphan")(function* (directory: string) {
  const cluster = clusterOf(directory)
  const pidFile = join(cluster, "postmaster.pid")
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8").split("\n")[0]) : 0
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (!isPostgresOf(pid, cluster)) break
    yield* Effect.logWarning("stopping a Postgres that was left behind", { pid, signal })
    yield* signalTo(pid, signal)
    yield* untilGone(pid, cluster, 4)
  }
  const left = workersOf(realpathSync(cluster))
  if (left.length === 0) return
  yield* Effect.logWarning("stopping what a Postgres left behind", { pids: left })
  yield* Effect.forEach(left, (worker) => signalTo(worker, "SIGKILL"), { discard: true })
})

// The port

const isFree = (port: number) =>
  Effect.callback<number | undefined>((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.undefined))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      const found = typeof address === "object" && address !== null ? address.port : port
      server.close(() => resume(Effect.succeed(found)))
    })
  })

/** The same as before where it can be: others hold URLs with it. */
const choosePort = Effect.fn("choosePort")(function* ({ directory, port }: Settings) {
  if (port !== 0) return port
  const file = join(directory, "port")
  const before = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0
  const chosen = (yield* isFree(before)) ?? (yield* isFree(0)) ?? 0
  writeFileSync(file, String(chosen))
  return chosen
})

export interface Cluster {
  readonly port: number
  readonly path: string
}

/** Ready to be run: whole, alone, with a port. */
export const prepareCluster = Effect.fn("prepareCluster")(function* (
  settings: Settings,
  programs: Programs,
  wrapping: Wrapping,
) {
  const { directory, password } = settings
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = clusterOf(directory)
  if (existsSync(path)) yield* stopOrphan(directory)
  else yield* initialize(settings, programs, wrapping)
  const method = password === undefined ? "trust" : "scram-sha-256"
  writeFileSync(join(path, "pg_hba.conf"), `host all all 127.0.0.1/32 ${method}\n`)
  return { path, port: yield* choosePort(settings) }
})

/** Runs until the scope closes: then a fast shutdown, waited for. */
export const runCluster = Effect.fn("runCluster")(function* (
  { path, port }: Cluster,
  programs: Programs,
  wrapping: Wrapping,
) {
  const settings = Object.entries({ ...small, port: String(port) })
  const options = settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      Bun.spawn([...wrapping.before, programs.postgres, "-D", path, ...options], {
        ...asUser(wrapping),
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit",
      }),
    ),
    (running) =>
      Effect.promise(() => {
        running.kill("SIGINT")
        return running.exited
      }),
  )
  return { ended: Effect.promise(() => child.exited) }
})

// Databases

const nameOf = (index: number) => `reelog_${index}`

export const urlsOf = ({ port }: Cluster, { password, databases }: Settings) =>
  Array.from({ length: databases }, (_, index) => {
    const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`
    return `postgres://postgres${secret}@127.0.0.1:${port}/${nameOf(index)}`
  })

/** Waits until it answers (it may have to repair itself first) and makes the databases that are missing. */
export const openDatabases = ({ port }: Cluster, { password, databases }: Settings) => {
  const attempt = Effect.tryPromise({
    try: async () => {
      const options = { host: "127.0.0.1", port, user: "postgres", database: "postgres" }
      const secret = password === undefined ? {} : { password }
      const client = postgres({ ...options, ...secret, max: 1, onnotice: () => {} })
      try {
        const known = await client<Array<{ datname: string }>>`select datname from pg_database`
        for (let index = 0; index < databases; index++) {
          const name = nameOf(index)
          if (known.every(({ datname }) => datname !== name))
            await client.unsafe(`create database ${name}`)
        }
      } finally {
        await client.end({ timeout: 1 })
      }
    },
    catch: (cause) => new PostgresFailed({ step: "open", detail: String(cause) }),
  })
  const often = Schedule.spaced("30 millis").pipe(Schedule.upTo({ duration: "60 seconds" }))
  return Effect.retry(attempt, often)
}
