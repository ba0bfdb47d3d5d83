import { randomBytes } from 'node:crypto'
import { readFileSync, watch } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { failpoint } from '../lib/failpoint.ts'
import { closeFd, pipe } from '../linux/fd.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { Pidfd } from '../linux/pidfd.ts'
import { processStat } from '../linux/process.ts'
import { spawnProcess } from '../linux/spawn.ts'
import { type ExecLaunch, type SpawnedExec, spawnOnTerminal } from './exec-terminal.ts'
import { MINIMAL_ENV, type OciRuntime } from './oci-runtime.ts'
import { exitCodeOfFailure, runtimeError } from './runtime-message.ts'
import { encodeOci } from './spec/index.ts'
import type { ExecExit, ExecInput, RuntimeExec } from './types.ts'

/** Files of one exec, in the bundle. */
interface ExecFiles {
  readonly process: string
  /** Written by the runtime once the process runs. */
  readonly pid: string
  /** The runtime's own errors, apart from the process's stderr. */
  readonly log: string
  /** Where crun hands over the terminal. */
  readonly socket: string
}

/**
 * Runs the OCI runtime's exec as a child of ours, without a monitor: it ends with the process's exit code. The process
 * gets pipes, or a terminal if its spec asks for one. When this daemon dies, the pipes break and the terminal hangs up.
 */
export async function execInContainer(
  thread: KernelThread,
  oci: OciRuntime,
  id: string,
  { bundle, process, stdin, size }: ExecInput,
): Promise<RuntimeExec> {
  const files = execFiles(bundle)
  failpoint('runtime.exec')
  await writeFile(files.process, encodeOci(process), { mode: 0o600 })
  const launch: ExecLaunch = {
    oci,
    socket: files.socket,
    spawn: (stdio, options = []) =>
      spawnProcess(thread, {
        path: oci.path,
        argv: [
          ...[oci.name, '--root', oci.root, '--log', files.log, '--log-format', 'json'],
          ...['exec', '--process', files.process, '--pid-file', files.pid, ...options, id],
        ],
        env: MINIMAL_ENV,
        stdio,
        cwd: '/',
      }),
  }
  const running = process.terminal ? spawnOnTerminal(launch, size) : spawnWithPipes(launch, stdin)
  const { child, ...streams } = await running.catch(async (error) => {
    await removeFiles(files)
    throw error
  })
  return {
    ...streams,
    exit: child.exit.then((exitCode) => settle(files, exitCode)),
    get pid() {
      return pidOf(files, child.pid)
    },
    async signal(signal) {
      const pid = await Promise.race([runningPid(bundle, files, child.pid), child.exit.then(() => undefined)])
      using pidfd = pid === undefined ? undefined : Pidfd.open(pid)
      return pidfd !== undefined && processStat(pidfd.pid)?.parent === child.pid && pidfd.signal(signal)
    },
  }
}

/** Resolves when the runtime has said which process it has started: that may run, and write, some time before. */
async function runningPid(bundle: string, files: ExecFiles, parent: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const look = () => {
    const pid = pidOf(files, parent)
    if (pid !== undefined) resolve(pid)
  }
  const watcher = watch(bundle, { persistent: false }, look)
  watcher.on('error', () => watcher.close())
  look()
  return await promise.finally(() => watcher.close())
}

/** The process is the runtime's child while the runtime waits for it; any other with this pid is not meant. */
function pidOf(files: ExecFiles, parent: number): number | undefined {
  let pid: number
  try {
    pid = Number(readFileSync(files.pid, 'utf8'))
  } catch {
    return undefined
  }
  return processStat(pid)?.parent === parent ? pid : undefined
}

async function settle(files: ExecFiles, exitCode: number): Promise<ExecExit> {
  try {
    if (exitCode === 0 || (await exists(files.pid))) return { exitCode }
    const log = await readFile(files.log, 'utf8').catch(() => '')
    const error = runtimeError(log, { exitCode })
    return { exitCode: exitCodeOfFailure(error.message), error }
  } finally {
    await removeFiles(files)
  }
}

async function spawnWithPipes({ spawn }: ExecLaunch, withStdin: boolean): Promise<SpawnedExec> {
  const stdin = withStdin ? pipe() : undefined
  const stdout = pipe()
  const stderr = pipe()
  try {
    const child = await spawn([stdin?.readEnd ?? 'null', stdout.writeEnd, stderr.writeEnd])
    return {
      child,
      stdout: reader(stdout.readEnd),
      stderr: reader(stderr.readEnd),
      ...(stdin !== undefined && { stdin: new Socket({ fd: stdin.writeEnd, readable: false, writable: true }) }),
      resize() {},
    }
  } catch (error) {
    for (const fd of [stdin?.writeEnd, stdout.readEnd, stderr.readEnd]) if (fd !== undefined) closeFd(fd)
    throw error
  } finally {
    for (const fd of [stdin?.readEnd, stdout.writeEnd, stderr.writeEnd]) if (fd !== undefined) closeFd(fd)
  }
}

function reader(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false })
}

function execFiles(bundle: string): ExecFiles {
  // With the longest bundle the socket's path has 107 bytes, which is all that it may have.
  const base = join(bundle, `x-${randomBytes(6).toString('hex')}`)
  return { process: `${base}.json`, pid: `${base}.pid`, log: `${base}.log`, socket: `${base}.s` }
}

async function removeFiles(files: ExecFiles): Promise<void> {
  await Promise.all(Object.values(files).map((file) => rm(file, { force: true })))
}

async function exists(file: string): Promise<boolean> {
  return await readFile(file).then(
    () => true,
    () => false,
  )
}
