import type { SeccompArgument } from '../../linux/seccomp.ts'

/**
 * What a container may call: Docker's default profile, as data. What is not named here gets EPERM.
 *
 * A rule applies if all of its conditions hold. A name that the kernel or libseccomp does not have does no harm.
 */
export interface ProfileRule {
  readonly names: readonly string[]
  /** ENOSYS instead of allowing it, so that the C library takes an older call whose arguments can be checked. */
  readonly notImplemented?: boolean
  readonly args?: readonly SeccompArgument[]
  readonly when?: {
    /** Any of these is held. */
    readonly capability?: string
    readonly withoutCapability?: string
    /** GOARCH's names. */
    readonly architectures?: readonly string[]
    readonly otherArchitectures?: readonly string[]
    readonly minKernel?: readonly [major: number, minor: number]
  }
}

const words = (text: string) => text.trim().split(/\s+/)

const FILES = words(`
  access chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
  fadvise64_64 fallocate fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat fstat64
  fstatat64 fsync ftruncate ftruncate64 futimesat getdents getdents64 ioctl lchown lchown32 link linkat _llseek lseek
  lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2
  pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64
  splice stat stat64 statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat
  utime utimensat utimensat_time64 utimes vmsplice write writev`)

const FILE_SYSTEMS = words(`
  cachestat chdir fanotify_mark fchdir fstatfs fstatfs64 getcwd inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch listmount statfs statfs64 statmount`)

const EXTENDED_ATTRIBUTES = words(`
  fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
  lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat`)

const WAITING = words(`
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
  io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect pipe pipe2 poll
  ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4`)

const MEMORY = words(`
  brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect
  mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages`)

const PROCESSES = words(`
  execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid
  gettid ioprio_get ioprio_set kill pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall riscv_hwprobe
  sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler
  sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
  sched_yield setpgid setpriority setrlimit setsid tgkill tkill ugetrlimit uretprobe vfork wait4 waitid waitpid`)

const THREADS = words(`
  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area rseq
  set_robust_list set_thread_area set_tid_address`)

const IDENTITY = words(`
  capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32
  getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32
  setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32`)

const SIGNALS = words(`
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn`)

const TIME = words(`
  adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64 times`)

/** `socket` itself is by address family, below; what `socketcall` (32 bit) opens cannot be seen by a filter. */
const SOCKETS = words(`
  accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg
  send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair`)

const SYSTEM_V_AND_POSIX_IPC = words(`
  ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
  msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`)

const SELF_RESTRAINT_AND_THE_REST = words(`
  getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp sysinfo uname`)

/** AF_UNIX to AF_ROSE, without a gap: one comparison. */
const FIRST_FAMILY_NOT_IN_A_ROW = 12

/**
 * The other address families of linux/socket.h that may be used. Not: AF_ALG (38, the kernel's cryptography),
 * AF_VSOCK (40, reaches the hypervisor past the network namespace), and families that kernels have given up (DECnet 12,
 * Econet 19, ATM SVC 20, IrDA 23, Wanpipe 25, ISDN 34, CAIF 37).
 */
const FAMILIES = [
  13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45,
] as const

/** PER_LINUX, PER_LINUX32, each also with UNAME26, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffff_ffff]

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET. */
const CLONE_NAMESPACES = 0x7e02_0000

const X86 = ['amd64', 'x32', 'x86']
const S390 = ['s390', 's390x']

const noNamespaces = (index: number): SeccompArgument[] => [
  { index, value: CLONE_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
]

export const DEFAULT_PROFILE: readonly ProfileRule[] = [
  {
    names: [
      ...FILES,
      ...FILE_SYSTEMS,
      ...EXTENDED_ATTRIBUTES,
      ...WAITING,
      ...MEMORY,
      ...PROCESSES,
      ...THREADS,
      ...IDENTITY,
      ...SIGNALS,
      ...TIME,
      ...SOCKETS,
      ...SYSTEM_V_AND_POSIX_IPC,
      ...SELF_RESTRAINT_AND_THE_REST,
    ],
  },
  // Older kernels let ptrace walk around seccomp.
  { names: ['process_vm_readv', 'process_vm_writev', 'ptrace'], when: { minKernel: [4, 8] } },
  { names: ['socket'], args: [{ index: 0, value: FIRST_FAMILY_NOT_IN_A_ROW, op: 'SCMP_CMP_LT' }] },
  ...FAMILIES.map((value): ProfileRule => ({ names: ['socket'], args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] })),
  ...PERSONALITIES.map(
    (value): ProfileRule => ({ names: ['personality'], args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }),
  ),

  { names: words('sync_file_range2 swapcontext'), when: { architectures: ['ppc64le'] } },
  {
    names: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
    when: { architectures: ['arm', 'arm64'] },
  },
  { names: ['arch_prctl'], when: { architectures: ['amd64', 'x32'] } },
  { names: ['modify_ldt'], when: { architectures: X86 } },
  { names: words('s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr'), when: { architectures: S390 } },
  { names: ['riscv_flush_icache'], when: { architectures: ['riscv64'] } },

  { names: ['open_by_handle_at'], when: { capability: 'CAP_DAC_READ_SEARCH' } },
  {
    names: words(`
      bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
      lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
      sethostname setns syslog umount umount2 unshare`),
    when: { capability: 'CAP_SYS_ADMIN' },
  },
  {
    names: ['clone'],
    args: noNamespaces(0),
    when: { withoutCapability: 'CAP_SYS_ADMIN', otherArchitectures: S390 },
  },
  // s390 has clone's arguments in another order.
  { names: ['clone'], args: noNamespaces(1), when: { withoutCapability: 'CAP_SYS_ADMIN', architectures: S390 } },
  { names: ['clone3'], notImplemented: true, when: { withoutCapability: 'CAP_SYS_ADMIN' } },
  { names: ['reboot'], when: { capability: 'CAP_SYS_BOOT' } },
  { names: ['chroot'], when: { capability: 'CAP_SYS_CHROOT' } },
  { names: words('delete_module init_module finit_module'), when: { capability: 'CAP_SYS_MODULE' } },
  { names: ['acct'], when: { capability: 'CAP_SYS_PACCT' } },
  {
    names: words('kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace'),
    when: { capability: 'CAP_SYS_PTRACE' },
  },
  { names: words('iopl ioperm'), when: { capability: 'CAP_SYS_RAWIO' } },
  { names: words('settimeofday stime clock_settime clock_settime64'), when: { capability: 'CAP_SYS_TIME' } },
  { names: ['vhangup'], when: { capability: 'CAP_SYS_TTY_CONFIG' } },
  {
    names: words('get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
    when: { capability: 'CAP_SYS_NICE' },
  },
  { names: ['syslog'], when: { capability: 'CAP_SYSLOG' } },
  { names: ['bpf'], when: { capability: 'CAP_BPF' } },
  { names: ['perf_event_open'], when: { capability: 'CAP_PERFMON' } },
]

/** GOARCH → the filter's architectures, the native one first. */
export const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
  ppc64le: ['SCMP_ARCH_PPC64LE'],
  arm: ['SCMP_ARCH_ARM'],
}
