/**
 * The command line of a confined program. Inside, the input is `/in`, files beside it are `/also/0`,
 * `/also/1`, … and the outputs `/out/0`, `/out/1`, …; under Landlock they keep their real paths,
 * which the arguments then name. Output files are made beforehand and bound one by one: there is no
 * folder to write in, so the limit on file size bounds the disk.
 */
import { join } from "node:path"
import type { Confinement } from "./landlock-exec.ts"
import type { Programs } from "./programs.ts"

export interface Limits {
  readonly mebibytes: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly outputMebibytes: number
  readonly stdoutBytes: number
}

export interface Confined {
  readonly tool: "ffmpeg" | "ffprobe"
  readonly arguments: ReadonlyArray<string>
  /** `null`: reads its standard input, or nothing. */
  readonly input: string | null
  /** More files to be read. */
  readonly also?: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly limits: Limits
}

export type Kind = "bwrap" | "landlock"

const systemFolders = [
  ["--ro-bind", "/usr/lib", "/usr/lib"],
  // libblas is found through it: without, nothing starts.
  ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"],
  ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"],
  ["--ro-bind-try", "/usr/lib64", "/usr/lib64"],
  ["--symlink", "usr/lib", "/lib"],
  ["--symlink", "usr/lib64", "/lib64"],
].flat()

const systemPaths = [
  "/usr/lib",
  "/usr/lib64",
  "/usr/bin/prlimit",
  "/etc/alternatives",
  "/etc/ld.so.cache",
  "/dev/null",
]

/** As the value of an option of a filter: escaped for the option, then for the graph. */
const inFilter = (path: string) => path.replace(/[\\':]/g, "\\$&").replace(/[\\'[\],;]/g, "\\$&")

/** The descriptor under which bwrap reads the filter. */
const FILTER_DESCRIPTOR = 3

/**
 * bwrap asks to die with its parent only when it has set everything up; a parent killed before that
 * would leave an orphan. So the program begins when it is told to: a dead parent tells nothing.
 */
const whenTold = ["/usr/bin/sh", "-c", 'echo; read -r told || exit 125; exec "$@"', "sh"]
export const GO = "go\n"

const underBwrap = (programs: Programs, job: Confined): ReadonlyArray<string> => {
  const { limits, input, also = [], outputs } = job
  const program = programs.path(job.tool)
  const environment = { ...programs.environment, MALLOC_ARENA_MAX: "1" }
  return [
    "/usr/bin/prlimit",
    `--as=${limits.mebibytes * 2 ** 20}`,
    `--cpu=${limits.cpuSeconds}`,
    `--fsize=${limits.outputMebibytes * 2 ** 20}`,
    "--nofile=32",
    "--core=0",
    "--",
    programs.path("bwrap"),
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--seccomp", String(FILTER_DESCRIPTOR), "--clearenv"],
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...systemFolders,
    ...programs.folders.flatMap((folder) => ["--ro-bind", folder, folder]),
    ...["--ro-bind", program, program, "--dev-bind", "/dev/null", "/dev/null"],
    ...(input === null ? [] : ["--ro-bind", input, "/in"]),
    ...also.flatMap((file, i) => ["--ro-bind", file, `/also/${i}`]),
    ...outputs.flatMap((output, i) => ["--bind", output, `/out/${i}`]),
    ...["--ro-bind", "/usr/bin/sh", "/usr/bin/sh"],
    ...["--remount-ro", "/", "--chdir", "/", "--", ...whenTold, program],
    ...job.arguments,
  ]
}

const underLandlock = (
  programs: Programs,
  job: Confined,
  exists: (path: string) => boolean,
): ReadonlyArray<string> => {
  const { limits, input, also = [], outputs } = job
  const program = programs.path(job.tool)
  const realPath = (word: string) => {
    if (word === "/in") return input ?? word
    if (word.startsWith("/also/")) return also[Number(word.slice(6))] ?? word
    if (word.startsWith("/out/")) return outputs[Number(word.slice(5))] ?? word
    return word.replace(/(?<==)\/in(?=:)/, () => inFilter(input ?? "/in"))
  }
  const readable = [...systemPaths, ...programs.folders, program].filter(exists)
  const confinement: Confinement = {
    readable: [...readable, ...(input === null ? [] : [input]), ...also],
    writable: outputs,
    parent: process.pid,
    environment: Object.entries({ ...programs.environment, MALLOC_ARENA_MAX: "1" }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    addressSpace: limits.mebibytes * 2 ** 20,
    cpuSeconds: limits.cpuSeconds,
    fileBytes: limits.outputMebibytes * 2 ** 20,
  }
  return [
    process.execPath,
    join(import.meta.dir, "landlock-exec.ts"),
    JSON.stringify(confinement),
    program,
    ...job.arguments.map(realPath),
  ]
}

export const commandLine = (
  kind: Kind,
  programs: Programs,
  job: Confined,
  exists: (path: string) => boolean,
): ReadonlyArray<string> =>
  kind === "bwrap" ? underBwrap(programs, job) : underLandlock(programs, job, exists)
