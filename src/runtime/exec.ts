import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { readIfThere } from '../linux/cgroup.ts'
import { closeFd, pipe } from '../linux/fd.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { adoptOrphan } from '../linux/orphans.ts'
import { receiveDescriptor } from '../linux/receive-descriptor.ts'
import { type SpawnedProcess, type SpawnStdio, spawnProcess } from '../linux/spawn.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import { receiveTerminal } from './exec-terminal.ts'
import { MINIMAL_ENV, type OciRuntime } from './oci-runtime.ts'
import { exitCodeOfFailure, runtimeError } from './runtime-message.ts'
import { encodeOci } from './spec/index.ts'
import type { ExecInput, RuntimeExec } from './types.ts'

/** Files of one exec, in the bundle, while it is started: in memory, and small. */
interface ExecFiles {
  readonly process: string
  /** Written by the runtime once the process runs. */
  readonly pid: string
  /** The runtime's own errors, apart from the process's stderr. */
  readonly log: string
  /** Where the terminal is handed over. */
  readonly socket: string
}

type Streams = Pick<RuntimeExec, 'stdin' | 'stdout' | 'stderr' | 'resize'>
/** What has become of the start: a process of ours, or nothing. */
type Outcome = Pick<RuntimeExec, 'exit' | 'pid'> & { signal(signal: number): boolean }
type Spawn = (stdio: readonly SpawnStdio[], options?: readonly string[]) => Promise<SpawnedProcess>

/**
 * Runs a process in a container, without a monitor: the OCI runtime starts it and ends, and it becomes our child, who
 * learns its exit code. It gets pipes, or a terminal if its spec asks for one. When this daemon dies, the pipes break
 * and the terminal hangs up.
 */
export async function execInContainer(
  thread: KernelThread,
  oci: OciRuntime,
  id: string,
  { bundle, process, stdin, size }: ExecInput,
): Promise<RuntimeExec> {
  const files = execFiles(bundle)
  failpoint('runtime.exec')
  writeFileSync(files.process, encodeOci(process), { mode: 0o600 })
  const spawn: Spawn = (stdio, options = []) =>
    spawnProcess(thread, {
      path: oci.path,
      argv: [
        ...[oci.name, '--root', oci.root, '--log', files.log, '--log-format', 'json'],
        ...['exec', '--detach', '--process', files.process, '--pid-file', files.pid, ...options, id],
      ],
      env: MINIMAL_ENV,
      stdio,
      cwd: '/',
    })
  const starting = process.terminal ? spawnOnTerminal(spawn, files.socket, size) : spawnWithPipes(spawn, stdin)
  const { runtime, streams } = await starting.catch((error) => {
    removeFiles(files)
    throw error
  })
  let known: Outcome | undefined
  const outcome = runtime.exit
    .then((runtimeExit) => {
      known = runtimeExit === 0 ? running(files) : failed(files, runtimeExit)
      return known
    })
    .finally(() => removeFiles(files))
  // On its terminal a process may have written before the runtime has ended.
  if (!process.terminal) await outcome
  return {
    ...streams,
    exit: outcome.then(({ exit }) => exit),
    get pid() {
      return known?.pid
    },
    signal: async (signal) => (await outcome).signal(signal),
  }
}

function running(files: ExecFiles): Outcome {
  const pid = Number(readFileSync(files.pid, 'utf8'))
  const child = adoptOrphan(pid)
  if (child === undefined) throw new StatusError('internal', `The runtime started process ${pid}, which is not ours`)
  let hasEnded = false
  const exit = child.exit.then((exitCode) => {
    hasEnded = true
    return { exitCode }
  })
  return {
    exit,
    get pid() {
      return hasEnded ? undefined : pid
    },
    signal: (signal) => child.signal(signal),
  }
}

/** The command could not be run. What the runtime says of it on stderr is the output. */
function failed(files: ExecFiles, runtimeExit: number): Outcome {
  const error = runtimeError(readIfThere(files.log) ?? '', { exitCode: runtimeExit })
  const exit = Promise.resolve({ exitCode: exitCodeOfFailure(error.message), error })
  return { exit, pid: undefined, signal: () => false }
}

/** One stream both ways; stderr has what the runtime says, at most. */
async function spawnOnTerminal(
  spawn: Spawn,
  socket: string,
  size: TerminalSize | undefined,
): Promise<{ runtime: SpawnedProcess; streams: Streams }> {
  using receiver = receiveDescriptor(socket)
  using errors = outputPipe()
  const runtime = await spawn(['null', 'null', errors.writeEnd], ['--console-socket', socket])
  const terminal = await receiveTerminal(receiver, runtime, size)
  const stderr = errors.take()
  if (terminal === undefined) return { runtime, streams: { stdout: Readable.from([]), stderr, resize() {} } }
  const { stream, resize } = terminal
  return { runtime, streams: { stdin: stream, stdout: stream, stderr, resize } }
}

async function spawnWithPipes(
  spawn: Spawn,
  withStdin: boolean,
): Promise<{ runtime: SpawnedProcess; streams: Streams }> {
  using stdin = withStdin ? inputPipe() : undefined
  using stdout = outputPipe()
  using stderr = outputPipe()
  const runtime = await spawn([stdin?.readEnd ?? 'null', stdout.writeEnd, stderr.writeEnd])
  const streams = { stdout: stdout.take(), stderr: stderr.take(), resize() {} }
  return { runtime, streams: { ...streams, ...(stdin !== undefined && { stdin: stdin.take() }) } }
}

/** A pipe whose write end is for a child. Disposing closes that, and the other end too if nobody took it. */
function outputPipe(): Disposable & { readonly writeEnd: number; take(): Socket } {
  const { readEnd, writeEnd } = pipe()
  let socket: Socket | undefined
  return {
    writeEnd,
    take() {
      socket = new Socket({ fd: readEnd, readable: true, writable: false })
      return socket
    },
    [Symbol.dispose]() {
      closeFd(writeEnd)
      if (socket === undefined) closeFd(readEnd)
    },
  }
}

/** The other way round. */
function inputPipe(): Disposable & { readonly readEnd: number; take(): Socket } {
  const { readEnd, writeEnd } = pipe()
  let socket: Socket | undefined
  return {
    readEnd,
    take() {
      socket = new Socket({ fd: writeEnd, readable: false, writable: true })
      return socket
    },
    [Symbol.dispose]() {
      closeFd(readEnd)
      if (socket === undefined) closeFd(writeEnd)
    },
  }
}

function execFiles(bundle: string): ExecFiles {
  // With the longest bundle the socket's path has 107 bytes, which is all that it may have.
  const base = join(bundle, `x-${randomBytes(6).toString('hex')}`)
  return { process: `${base}.json`, pid: `${base}.pid`, log: `${base}.log`, socket: `${base}.s` }
}

function removeFiles(files: ExecFiles): void {
  for (const file of Object.values(files)) rmSync(file, { force: true })
}
