/**
 * Numbers of the system calls that the filter in `seccomp.ts` names, per machine (Linux uapi). Kept
 * as text, for 130 lines of numbers are read by nobody.
 */

const numbers = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .trim()
      .split(/,\s*/)
      .map((entry) => entry.split(" "))
      .map(([name = "", number]) => [name, Number(number)]),
  )

export interface Machine {
  /** AUDIT_ARCH_*, as the kernel tells it to the filter. */
  readonly audit: number
  readonly calls: ReadonlyMap<string, number>
}

const x64: Machine = {
  audit: 0xc000003e,
  calls: numbers(`
  read 0, write 1, open 2, close 3, stat 4, fstat 5, lstat 6, poll 7, lseek 8, mmap 9,
  mprotect 10, munmap 11, brk 12, rt_sigaction 13, rt_sigprocmask 14, rt_sigreturn 15,
  ioctl 16, pread64 17, pwrite64 18, readv 19, writev 20, access 21, pipe 22, select 23,
  sched_yield 24, mremap 25, madvise 28, dup 32, dup2 33, nanosleep 35, getpid 39, clone 56,
  execve 59, exit 60, wait4 61, uname 63, fcntl 72, fsync 74, fdatasync 75, ftruncate 77,
  getcwd 79, unlink 87, readlink 89, gettimeofday 96, getrlimit 97, getrusage 98, sysinfo 99,
  times 100, getuid 102, getgid 104, geteuid 107, getegid 108, getppid 110, sigaltstack 131,
  statfs 137, fstatfs 138, mlock 149, munlock 150, prctl 157, arch_prctl 158, setrlimit 160,
  gettid 186, time 201, futex 202, sched_getaffinity 204, getdents64 217, set_tid_address 218,
  restart_syscall 219, fadvise64 221, clock_gettime 228, clock_getres 229, clock_nanosleep 230,
  exit_group 231, tgkill 234, mbind 237, set_mempolicy 238, get_mempolicy 239, openat 257,
  newfstatat 262, unlinkat 263, readlinkat 267, faccessat 269, pselect6 270, ppoll 271,
  set_robust_list 273, get_robust_list 274, fallocate 285, dup3 292, pipe2 293, prlimit64 302,
  getrandom 318, membarrier 324, statx 332, rseq 334, clone3 435, faccessat2 439, socket 41,
  socketpair 53, kill 62, memfd_create 319, ptrace 101, process_vm_readv 310,
  process_vm_writev 311, mount 165, umount2 166, pivot_root 155, unshare 272, setns 308,
  bpf 321, keyctl 250, add_key 248, request_key 249, userfaultfd 323, io_uring_setup 425,
  perf_event_open 298, init_module 175, finit_module 313, kexec_load 246,
  open_by_handle_at 304, open_tree 428, move_mount 429, fsopen 430, pidfd_getfd 438
`),
}

const arm64: Machine = {
  audit: 0xc00000b7,
  calls: numbers(`
  getcwd 17, dup 23, dup3 24, fcntl 25, ioctl 29, unlinkat 35, statfs 43, fstatfs 44,
  ftruncate 46, fallocate 47, faccessat 48, openat 56, close 57, pipe2 59, getdents64 61,
  lseek 62, read 63, write 64, readv 65, writev 66, pread64 67, pwrite64 68, pselect6 72,
  ppoll 73, readlinkat 78, newfstatat 79, fstat 80, fsync 82, fdatasync 83, exit 93,
  exit_group 94, set_tid_address 96, futex 98, set_robust_list 99, get_robust_list 100,
  nanosleep 101, clock_gettime 113, clock_getres 114, clock_nanosleep 115,
  sched_getaffinity 123, sched_yield 124, restart_syscall 128, tgkill 131, sigaltstack 132,
  rt_sigaction 134, rt_sigprocmask 135, rt_sigreturn 139, times 153, uname 160, getrlimit 163,
  setrlimit 164, getrusage 165, prctl 167, gettimeofday 169, getpid 172, getppid 173,
  getuid 174, geteuid 175, getgid 176, getegid 177, gettid 178, sysinfo 179, brk 214,
  munmap 215, mremap 216, clone 220, execve 221, mmap 222, fadvise64 223, mprotect 226,
  mlock 228, munlock 229, madvise 233, mbind 235, get_mempolicy 236, set_mempolicy 237,
  wait4 260, prlimit64 261, getrandom 278, membarrier 283, statx 291, rseq 293, clone3 435,
  faccessat2 439, socket 198, socketpair 199, kill 129, memfd_create 279, ptrace 117,
  process_vm_readv 270, process_vm_writev 271, mount 40, umount2 39, pivot_root 41, unshare 97,
  setns 268, bpf 280, keyctl 219, add_key 217, request_key 218, userfaultfd 282,
  io_uring_setup 425, perf_event_open 241, init_module 105, finit_module 273, kexec_load 104,
  open_by_handle_at 265, open_tree 428, move_mount 429, fsopen 430, pidfd_getfd 438
`),
}

export const machineOf = (architecture: string): Machine => (architecture === "arm64" ? arm64 : x64)
