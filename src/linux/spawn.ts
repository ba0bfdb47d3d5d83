/**
 * Starting processes with posix_spawn(3): the time does not grow with the daemon's memory, as fork's does, and a child
 * gets nothing that is not named: signals are at their defaults, the environment is the given one, descriptors above
 * the given ones are closed, the session is its own.
 */
import { existsSync } from 'node:fs'
import type { KernelOps, KernelThread } from './kernel-thread.ts'
import { checkErrno, libc } from './libc.ts'
import { Pidfd, reap } from './pidfd.ts'

/** A descriptor of this process, `/dev/null`, or a file to append to (made with mode 0600). */
export type SpawnStdio = number | 'null' | { readonly append: string }

export interface SpawnInput {
  /** Absolute. */
  readonly path: string
  /** With the name of the program, argv[0]. */
  readonly argv: readonly string[]
  readonly env: readonly string[]
  /** What becomes descriptor 0, 1, 2 ... of the child. The caller keeps, and closes, its own copies. */
  readonly stdio: readonly SpawnStdio[]
  readonly cwd: string
}

/** Disposing stops watching the child, and leaves it alone. */
export interface SpawnedProcess extends Disposable {
  readonly pid: number
  /** Resolves with the exit code, 128 + signal for one that was killed, when the process has ended and is reaped. */
  readonly exit: Promise<number>
  /** False if the process has ended. */
  signal(signal: number): boolean
}

/** Children that somebody waits for: they are reaped by him alone. */
export const awaited = new Set<number>()

/** Starts a child from the kernel thread, so in its mount namespace and cgroups. */
export async function spawnProcess(thread: KernelThread, input: SpawnInput): Promise<SpawnedProcess> {
  const pid = await thread.call<number>('spawn', input)
  // The child is not reaped before this, so the pid is still its own.
  return watchChild(Pidfd.open(pid)!)
}

/** Watches a child that nobody else reaps. */
export function watchChild(pidfd: Pidfd): SpawnedProcess {
  const { pid } = pidfd
  awaited.add(pid)
  const exit = pidfd.end.then(() => {
    pidfd[Symbol.dispose]()
    awaited.delete(pid)
    return reap(pid)
  })
  return { pid, exit, signal: (signal) => pidfd.signal(signal), [Symbol.dispose]: () => pidfd[Symbol.dispose]() }
}

/** The thread that children inherit their v1 cgroups from. */
export function spawningThreadId(thread: KernelThread): Promise<number> {
  return thread.call('spawn.threadId', null)
}

/** Whether children will see that file: the thread may have a mount namespace of its own. */
export function existsForChildren(thread: KernelThread, path: string): Promise<boolean> {
  return thread.call('spawn.exists', path)
}

/** For the kernel thread. */
export const spawnOps: KernelOps = {
  spawn: posixSpawn,
  'spawn.exists': (path: string) => existsSync(path),
  'spawn.threadId': () => native.gettid(),
}

const native = {
  spawn: libc('int posix_spawn(_Out_ int*, const char*, void*, void*, const char**, const char**)'),
  initActions: libc('int posix_spawn_file_actions_init(void*)'),
  destroyActions: libc('int posix_spawn_file_actions_destroy(void*)'),
  addDup2: libc('int posix_spawn_file_actions_adddup2(void*, int, int)'),
  addOpen: libc('int posix_spawn_file_actions_addopen(void*, int, const char*, int, unsigned int)'),
  addChdir: libc('int posix_spawn_file_actions_addchdir_np(void*, const char*)'),
  addCloseFrom: libc('int posix_spawn_file_actions_addclosefrom_np(void*, int)'),
  initAttributes: libc('int posix_spawnattr_init(void*)'),
  setFlags: libc('int posix_spawnattr_setflags(void*, int16_t)'),
  setDefaultSignals: libc('int posix_spawnattr_setsigdefault(void*, const void*)'),
  setSignalMask: libc('int posix_spawnattr_setsigmask(void*, const void*)'),
  gettid: libc('int gettid()'),
}

/** sizeof of glibc's opaque types: 80 and 336 on 64-bit. */
const ACTIONS_BYTES = 128
const ATTRIBUTES_BYTES = 512
const SIGSET_BYTES = 128

const SETSIGDEF = 0x04
const SETSIGMASK = 0x08
const SETSID = 0x80

const O_RDWR = 2
const O_WRONLY_CREAT_APPEND = 0o1 | 0o100 | 0o2000

const attributes = defaultAttributes()

/** Node ignores SIGPIPE, and children would inherit that. */
function defaultAttributes(): Buffer {
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES)
  const everySignal = Buffer.alloc(SIGSET_BYTES)
  everySignal.fill(0xff, 0, 8)
  native.initAttributes(attributes)
  native.setFlags(attributes, SETSIGDEF | SETSIGMASK | SETSID)
  native.setDefaultSignals(attributes, everySignal)
  native.setSignalMask(attributes, Buffer.alloc(SIGSET_BYTES))
  return attributes
}

function posixSpawn({ path, argv, env, stdio, cwd }: SpawnInput): number {
  const actions = Buffer.alloc(ACTIONS_BYTES)
  native.initActions(actions)
  try {
    for (const [fd, source] of stdio.entries()) addStdio(actions, fd, source, stdio.length)
    native.addCloseFrom(actions, stdio.length)
    native.addChdir(actions, cwd)
    const pid: [number] = [0]
    const result = native.spawn(pid, path, actions, attributes, [...argv, null], [...env, null])
    checkErrno(`start ${path}`, result)
    return pid[0]
  } finally {
    native.destroyActions(actions)
  }
}

function addStdio(actions: Buffer, fd: number, source: SpawnStdio, count: number): void {
  if (source === 'null') {
    native.addOpen(actions, fd, '/dev/null', O_RDWR, 0)
  } else if (typeof source === 'object') {
    native.addOpen(actions, fd, source.append, O_WRONLY_CREAT_APPEND, 0o600)
  } else {
    // The actions run in order: a low source would have been replaced before its turn. Node's own are the low ones.
    if (source < count && source !== fd) throw new Error(`descriptor ${source} cannot become ${fd}`)
    native.addDup2(actions, source, fd)
  }
}
