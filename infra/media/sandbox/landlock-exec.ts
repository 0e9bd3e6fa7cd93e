/**
 * The second sandbox, where user namespaces are refused: no_new_privs, limits, Landlock and the
 * seccomp filter by bun:ffi, then execve in this same process, so that limits, parent-death signal
 * and exit status are the program's own. Needs no privilege and no package. A script of its own:
 * `bun landlock-exec.ts SPECIFICATION PROGRAM ARGUMENT…`
 */
import { dlopen, FFIType, ptr } from "bun:ffi"
import { openSync, statSync, writeSync } from "node:fs"
import { ffmpegFilter } from "./seccomp.ts"

export interface Confinement {
  readonly readable: ReadonlyArray<string>
  readonly writable: ReadonlyArray<string>
  readonly parent: number | null
  readonly environment: ReadonlyArray<string>
  readonly addressSpace: number
  readonly cpuSeconds: number
  readonly fileBytes: number
}

const libc = () =>
  dlopen("libc.so.6", {
    syscall: {
      args: [FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64],
      returns: FFIType.i64,
    },
    execve: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
    getppid: { args: [], returns: FFIType.i32 },
  }).symbols

const NUMBERS =
  process.arch === "arm64"
    ? { prctl: 167, prlimit: 261, seccomp: 277, closeRange: 436 }
    : { prctl: 157, prlimit: 302, seccomp: 317, closeRange: 436 }
const LANDLOCK = { create: 444, add: 445, restrict: 446 }
/** Every file right the kernel of this ABI knows; index 0 is no Landlock. */
const FILE_RIGHTS = [0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff, 0xffff]
const READ_FOLDER = 0xd
const READ_FILE = 0x5

const confineAndRun = (specification: Confinement, program: ReadonlyArray<string>): never => {
  const { syscall, execve, getppid } = libc()
  const die = (what: string): never => {
    writeSync(2, `sandbox: ${what}\n`)
    process.exit(125)
  }
  const call = (number: number, ...[a = 0, b = 0, c = 0, d = 0]: Array<number | bigint>) =>
    Number(syscall(number, a, b, c, d, 0))
  const must = (what: string, result: number) => (result < 0 ? die(what) : result)
  const limit = (resource: number, value: number) => {
    // Soft = hard: ffmpeg takes SIGXCPU as "stop and exit as if asked".
    const pair = new BigUint64Array([BigInt(value), BigInt(value)])
    must(`limit ${resource}`, call(NUMBERS.prlimit, 0, resource, ptr(pair)))
  }

  must("parent-death signal", call(NUMBERS.prctl, 1, 9))
  // Died before the line above.
  const { parent } = specification
  if (parent !== null && getppid() !== parent) die("parent is gone")
  // PR_CAPBSET_DROP: root keeps no capability over the execve.
  for (let capability = 0; capability < 64; capability++) call(NUMBERS.prctl, 24, capability)
  must("no_new_privs", call(NUMBERS.prctl, 38, 1))

  const abi = call(LANDLOCK.create, 0, 0, 1)
  if (abi < 1) die("Landlock is not in this kernel")
  const rights = FILE_RIGHTS[Math.min(abi, 7)] ?? 0
  // Files; TCP bind and connect; abstract sockets and signals.
  const rules = new BigUint64Array([BigInt(rights), abi >= 4 ? 3n : 0n, abi >= 6 ? 3n : 0n])
  const size = 8 * (1 + Number(abi >= 4) + Number(abi >= 6))
  const ruleset = must("ruleset", call(LANDLOCK.create, ptr(rules), size, 0))
  // Write, read, truncate: an existing file only, none is made or removed.
  const write = 0x2 | 0x4 | (abi >= 3 ? 0x4000 : 0)
  const permit = (path: string, right: number) => {
    const descriptor = openSync(path, 0o12000000)
    const rule = new DataView(new ArrayBuffer(16))
    rule.setBigUint64(0, BigInt(right & rights), true)
    rule.setInt32(8, descriptor, true)
    must(`rule for ${path}`, call(LANDLOCK.add, ruleset, 1, ptr(new Uint8Array(rule.buffer)), 0))
  }
  for (const path of specification.readable) {
    permit(path, statSync(path).isDirectory() ? READ_FOLDER : READ_FILE)
  }
  for (const path of specification.writable) permit(path, write)
  must("landlock", call(LANDLOCK.restrict, ruleset, 0))

  // Set by prlimit(1) on the way: set here, Bun's own threads run out of it before the execve.
  const words = ["/usr/bin/prlimit", `--as=${specification.addressSpace}`, "--", ...program]
  const strings = [...words, ...specification.environment].map((word) => Buffer.from(`${word}\0`))
  const vector = (part: ReadonlyArray<Buffer>) =>
    new BigUint64Array([...part.map((word) => BigInt(ptr(word))), 0n])
  const argv = vector(strings.slice(0, words.length))
  const environment = vector(strings.slice(words.length))
  const filter = ffmpegFilter()
  const programOfFilter = new BigUint64Array([BigInt(filter.length / 8), BigInt(ptr(filter))])
  limit(7, 32)
  limit(4, 0)
  limit(1, specification.fileBytes)
  limit(0, specification.cpuSeconds)
  // CLOSE_RANGE_CLOEXEC
  call(NUMBERS.closeRange, 3, 0xffffffff, 4)
  must("seccomp", call(NUMBERS.seccomp, 1, 0, ptr(programOfFilter)))
  execve(ptr(strings[0] ?? die("nothing to run")), ptr(argv), ptr(environment))
  return die(`cannot run ${words[0]}`)
}

if (import.meta.main) confineAndRun(JSON.parse(process.argv[2] ?? ""), process.argv.slice(3))
