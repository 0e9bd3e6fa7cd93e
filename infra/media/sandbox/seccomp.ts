/**
 * A seccomp filter for ffmpeg as the bytes that `bwrap --seccomp FD` and seccomp(2) take: an array
 * of `struct sock_filter`. An allow-list; what is unknown answers ENOSYS, so that a newer libc falls
 * back; what only an exploit asks for kills the process (SIGSYS: the input attacked us).
 */
import { machineOf } from "./syscalls.ts"

const kills = new Set(
  `ptrace process_vm_readv process_vm_writev mount umount2 pivot_root unshare setns bpf keyctl
  add_key request_key userfaultfd io_uring_setup perf_event_open init_module finit_module
  kexec_load open_by_handle_at open_tree move_mount fsopen pidfd_getfd`.split(/\s+/),
)
/** EACCES: a library may probe these in peace. */
const refuses = new Set(["socket", "socketpair", "kill", "memfd_create"])
/** Their arguments decide. */
const checked = new Set(["clone", "clone3", "ioctl", "prctl"])

const ALLOW = 0x7fff0000
const KILL = 0x80000000
const ENOSYS = 0x00050026
const EACCES = 0x0005000d
const EPERM = 0x00050001
const ENOTTY = 0x00050019

const LOAD = 0x20
const IF_EQUAL = 0x15
const IF_AT_LEAST = 0x35
const IF_ANY_BIT = 0x45
const RETURN = 0x06

/** NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET */
const ANY_NAMESPACE = 0x7e020000
const PR_SET_NAME = 15
const TCGETS = 0x5401
const TIOCGWINSZ = 0x5413
/** `struct seccomp_data`: number, machine, instruction pointer, arguments (low words). */
const NUMBER = 0
const MACHINE = 4
const argument = (n: number) => 16 + 8 * n

interface Instruction {
  readonly op: number
  readonly yes: number
  no: number
  readonly value: number
}

/** The filter's bytes for this machine, 8 per instruction. */
export const ffmpegFilter = (architecture: string = process.arch): Uint8Array<ArrayBuffer> => {
  const { audit, calls } = machineOf(architecture)
  const code: Array<Instruction> = []
  const put = (op: number, value: number, yes = 0, no = 0) => {
    const instruction: Instruction = { op, yes, no, value: value >>> 0 }
    code.push(instruction)
    return instruction
  }
  const when = (name: string, body: () => void) => {
    const number = calls.get(name)
    if (number === undefined) return
    const test = put(IF_EQUAL, number)
    const at = code.length
    body()
    test.no = code.length - at
  }

  put(LOAD, MACHINE)
  put(IF_EQUAL, audit, 1, 0)
  put(RETURN, KILL)
  put(LOAD, NUMBER)
  if (architecture !== "arm64") {
    // x32 numbers would go round the list.
    put(IF_AT_LEAST, 0x40000000, 0, 1)
    put(RETURN, KILL)
  }
  when("clone", () => {
    put(LOAD, argument(0))
    put(IF_ANY_BIT, ANY_NAMESPACE, 0, 1)
    put(RETURN, EPERM)
    put(RETURN, ALLOW)
  })
  // Its flags are behind a pointer: make libc use clone.
  when("clone3", () => put(RETURN, ENOSYS))
  when("ioctl", () => {
    put(LOAD, argument(1))
    put(IF_EQUAL, TCGETS, 1, 0)
    put(IF_EQUAL, TIOCGWINSZ, 0, 1)
    put(RETURN, ALLOW)
    put(RETURN, ENOTTY)
  })
  when("prctl", () => {
    put(LOAD, argument(0))
    put(IF_EQUAL, PR_SET_NAME, 0, 1)
    put(RETURN, ALLOW)
    put(RETURN, EPERM)
  })
  for (const name of calls.keys()) {
    if (checked.has(name)) continue
    if (kills.has(name)) when(name, () => put(RETURN, KILL))
    else when(name, () => put(RETURN, refuses.has(name) ? EACCES : ALLOW))
  }
  put(RETURN, ENOSYS)

  const bytes = new Uint8Array(code.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [i, { op, yes, no, value }] of code.entries()) {
    view.setUint16(i * 8, op, true)
    view.setUint8(i * 8 + 2, yes)
    view.setUint8(i * 8 + 3, no)
    view.setUint32(i * 8 + 4, value, true)
  }
  return bytes
}
