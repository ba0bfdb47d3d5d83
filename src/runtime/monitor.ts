import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { closeFd, pipe } from '../linux/fd.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { Pidfd } from '../linux/pidfd.ts'
import { commandLine, processIds } from '../linux/process.ts'
import { type SpawnedProcess, spawnProcess } from '../linux/spawn.ts'
import { MINIMAL_ENV, type OciRuntime } from './oci-runtime.ts'
import { runtimeError } from './runtime-message.ts'
import type { CreateInput } from './types.ts'

/**
 * A conmon: one a container. It holds the container's stdio, writes its log, and writes its exit code to
 * `<exit dir>/<id>` before it ends. So its end is the container's end, or the loss of its exit code.
 *
 * Disposing stops watching it, and leaves it alone.
 */
export interface Monitor extends Disposable {
  /** Of the container. */
  readonly id: string
  readonly pid: number
  readonly logFile: string
  readonly end: Promise<unknown>
  signal(signal: number): boolean
}

export interface MonitorPrograms {
  readonly conmon: string
  readonly oci: OciRuntime
  readonly exitDir: string
}

/** What conmon makes in a bundle, and runc that is killed before its pid file has its name. */
export const MONITOR_FILES = ['pidfile', '.pidfile', 'attach', 'ctl', 'winsz', 'conmon.log'] as const

const SIGKILL = 9
/** How long a monitor may take to end after its container. */
const END_TIMEOUT_MS = 5000

/** In a bundle as soon as its container is created. */
export function pidFile(bundle: string): string {
  return join(bundle, 'pidfile')
}

/**
 * Starts a conmon, which creates the container; `created` resolves with its pid, when that waits for start.
 *
 * conmon is our child until we end (`--sync`; double-forked it would take a pid file to find it, and 1 ms more). It is
 * in a session of its own and dies with nobody.
 */
export async function spawnMonitor(
  ctx: Ctx,
  thread: KernelThread,
  programs: MonitorPrograms,
  input: CreateInput,
): Promise<{ monitor: Monitor; created: Promise<number> }> {
  const { readEnd, writeEnd } = pipe()
  const conmonLog = join(input.bundle, 'conmon.log')
  let child: SpawnedProcess
  try {
    child = await spawnProcess(thread, {
      path: programs.conmon,
      argv: conmonArguments(programs, input),
      env: [...MINIMAL_ENV, '_OCI_SYNCPIPE=3'],
      stdio: ['null', 'null', { append: conmonLog }, writeEnd],
      cwd: input.bundle,
    })
  } catch (error) {
    closeFd(readEnd)
    throw error
  } finally {
    closeFd(writeEnd)
  }
  const monitor: Monitor = {
    id: input.id,
    pid: child.pid,
    logFile: input.logFile,
    end: child.exit,
    signal: child.signal,
    [Symbol.dispose]: child[Symbol.dispose],
  }
  return { monitor, created: readSyncPipe(ctx, readEnd, conmonLog) }
}

function conmonArguments({ conmon, oci, exitDir }: MonitorPrograms, input: CreateInput): string[] {
  const { id, bundle, logFile, tty, openStdin, stdinOnce } = input
  return [
    conmon,
    ...['--api-version', '1', '--sync', '--log-level', 'error'],
    ...['--cid', id, '--cuuid', id, '--name', id],
    ...['--runtime', oci.path, '--runtime-arg', '--root', '--runtime-arg', oci.root],
    ...['--bundle', bundle, '--container-pidfile', pidFile(bundle), '--exit-dir', exitDir],
    // Sockets in the bundle itself, under its whole path.
    ...['--full-attach', '--socket-dir-path', bundle],
    ...['--log-path', `k8s-file:${logFile}`, '--no-sync-log'],
    ...(tty ? ['--terminal'] : []),
    // The input of a terminal is the terminal: closing it would hang up.
    ...(openStdin ? ['--stdin', ...(stdinOnce && !tty ? [] : ['--leave-stdin-open'])] : []),
  ]
}

/** conmon writes one line of JSON: `{"data":PID}`, or `{"data":-1,"message":"stderr of the runtime"}`. */
async function readSyncPipe(ctx: Ctx, fd: number, conmonLog: string): Promise<number> {
  const socket = addAbortSignal(ctx.signal, new Socket({ fd, readable: true, writable: false }))
  let text = ''
  try {
    for await (const chunk of socket) {
      text += chunk
      if (text.includes('\n')) break
    }
  } catch (error) {
    throwIfEnded(ctx)
    throw error
  }
  const { data, message } = parseLine(text)
  if (data !== undefined && data > 0) return data
  if (message !== undefined) throw runtimeError(message, {})
  throw new StatusError('internal', 'conmon failed before it could create the container', {
    details: { stderr: readFileSync(conmonLog, 'utf8').slice(-4096), syncPipe: text.slice(0, 1024) },
  })
}

function parseLine(text: string): { data?: number; message?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Waits for a conmon whose container has ended, and helps if it does not. */
export async function endMonitor(monitor: Monitor): Promise<void> {
  const ended = await Promise.race([monitor.end.then(() => true), sleep(END_TIMEOUT_MS, false, { ref: false })])
  if (!ended && monitor.signal(SIGKILL)) await monitor.end
}

/**
 * Ends a conmon whose create is under way, then its child, the runtime. The runtime dies with conmon by itself
 * (PR_SET_PDEATHSIG), but when it has, nobody would tell.
 */
export async function endUnfinished(monitor: Monitor, oci: OciRuntime, id: string): Promise<void> {
  if (monitor.signal(SIGKILL)) await monitor.end
  for (const pid of processIds()) {
    using pidfd = isRuntimeOf(pid, oci, id) ? Pidfd.open(pid) : undefined
    if (pidfd !== undefined && isRuntimeOf(pid, oci, id) && pidfd.signal(SIGKILL)) await pidfd.end
  }
}

function isRuntimeOf(pid: number, oci: OciRuntime, id: string): boolean {
  const argv = commandLine(pid)
  return argv?.includes(oci.root) === true && argv.includes(id)
}

/** The ids of the containers that have a conmon with this `exitDir`. Looks at every process. */
export function monitoredIds(exitDir: string): string[] {
  return processIds().flatMap((pid) => {
    const argv = commandLine(pid)
    return optionOf(argv, '--exit-dir') === exitDir ? (optionOf(argv, '--cid') ?? []) : []
  })
}

/** The conmons of an earlier daemon with the same `exitDir`, by bundle. Looks at every process: once, at boot. */
export function findMonitors(exitDir: string): Map<string, Monitor> {
  const found = new Map<string, Monitor>()
  for (const pid of processIds()) {
    if (optionOf(commandLine(pid), '--exit-dir') !== exitDir) continue
    const pidfd = Pidfd.open(pid)
    // Again, now that the pid cannot become another process's.
    const argv = commandLine(pid)
    const bundle = optionOf(argv, '--bundle')
    const logPath = optionOf(argv, '--log-path')
    const id = optionOf(argv, '--cid') ?? ''
    // A second one of a bundle is a child that conmon has forked and that is not the runtime yet.
    if (pidfd === undefined || bundle === undefined || logPath === undefined || found.has(bundle)) {
      pidfd?.[Symbol.dispose]()
      continue
    }
    found.set(bundle, monitorOf(pidfd, id, logPath.slice('k8s-file:'.length)))
  }
  return found
}

function monitorOf(pidfd: Pidfd, id: string, logFile: string): Monitor {
  return {
    id,
    pid: pidfd.pid,
    logFile,
    end: pidfd.end,
    signal: (signal) => pidfd.signal(signal),
    [Symbol.dispose]: () => pidfd[Symbol.dispose](),
  }
}

function optionOf(argv: readonly string[] | undefined, option: string): string | undefined {
  const index = argv?.indexOf(option) ?? -1
  return index < 0 ? undefined : argv![index + 1]
}
