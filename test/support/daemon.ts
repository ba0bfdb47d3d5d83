import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cgroupHierarchies, removeCgroup } from '../../src/linux/cgroup.ts'
import { MS_SHARED, mount, unmount } from '../../src/linux/mount.ts'
import { type ApiClient, apiClient } from './api-client.ts'
import { inTime } from './eventually.ts'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

export interface DaemonOptions {
  /** Further flags. */
  readonly args?: readonly string[]
  /** Where it serves TLS, with certificates in the home; nowhere by default, because making them takes seconds. */
  readonly listen?: string
  readonly runtime?: 'auto' | 'crun' | 'runc'
  readonly env?: Readonly<Record<string, string>>
  /** The program instead of bin/condenser: the bundle, or one under strace. */
  readonly command?: readonly string[]
}

/** Where one daemon of a test lives; survives the daemon, so that the next one finds what the last one left. */
export interface Home extends AsyncDisposable {
  readonly root: string
  readonly run: string
  readonly bridge: string
  readonly subnet: string
  readonly cgroupParent: string
  readonly config: string
  readonly certDir: string
}

/** A small one, in memory. */
export interface Disk {
  readonly sizeBytes: number
  readonly inodes: number
}

let homes = 0

/**
 * Short, because socket paths below it must fit 107 bytes; the root on a real disk, because overlay needs one; `run` in
 * memory, as /run is where systemd is.
 */
export async function makeHome(disk?: Disk): Promise<Home> {
  const base = await mkdtemp('/var/tmp/cd-')
  const memory = join(base, 'r')
  const tag = randomBytes(3).toString('hex')
  const home = {
    root: join(base, 'root'),
    run: join(memory, 'run'),
    bridge: `rt${tag}`,
    subnet: `10.${200 + (homes++ % 50)}.0.0/16`,
    cgroupParent: `/condenser-test-${tag}`,
    config: join(base, 'config.yaml'),
    certDir: join(base, 'cert'),
  }
  await mkdir(home.root)
  if (disk !== undefined)
    mount('disk', home.root, 'tmpfs', 0, `mode=0711,size=${disk.sizeBytes},nr_inodes=${disk.inodes}`)
  await mkdir(memory)
  mount('tmpfs', memory, 'tmpfs', 0, 'mode=0755')
  mount('none', memory, null, MS_SHARED, null)
  return {
    ...home,
    async [Symbol.asyncDispose]() {
      // A daemon leaves its containers and its self-binds.
      await removeCgroup(home.cgroupParent, cgroupHierarchies())
      for (const directory of [home.root, home.run, memory]) while (unmount(directory));
      await rm(base, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

export interface Daemon extends AsyncDisposable {
  readonly home: Home
  readonly api: ApiClient
  readonly pid: number
  /** What it has written to stderr so far. */
  readonly log: () => string
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
}

/** Starts bin/condenser as a user would and waits until it answers. Ended by pid when disposed. */
export async function startDaemon(home: Home, options: DaemonOptions = {}): Promise<Daemon> {
  const socket = join(home.run, 'condenser.sock')
  const command = options.command ?? [join(projectRoot, 'bin/condenser')]
  const args = [
    ...command.slice(1),
    ...['--root', home.root, '--run', home.run, '--bridge', home.bridge, '--subnet', home.subnet],
    ...['--listen', options.listen ?? 'none', '--cert-dir', home.certDir],
    ...['--runtime', options.runtime ?? 'auto', '--log-level', 'debug'],
    ...(existsSync(home.config) ? ['--config', home.config] : []),
    ...(options.args ?? []),
  ]
  const child = spawn(command[0]!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let log = ''
  child.stderr!.on('data', (chunk) => {
    log += chunk
  })
  // Not at its `exit`: the last of its log may come after that.
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  const api = apiClient(socket)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await inTimeOrKilled(child, ended, () => log)
  }
  await inTimeOrKilled(
    child,
    ready(child, () => log),
    () => log,
  )
  return {
    home,
    api,
    pid: child.pid!,
    log: () => log,
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}

/** One that hangs is killed: it must not outlive its test. */
async function inTimeOrKilled(child: ChildProcess, coming: Promise<unknown>, log: () => string): Promise<void> {
  try {
    await inTime(coming, () => log().slice(-3000))
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

/** The daemon says in its log that it listens; if it ends instead, its log says why. */
function ready(child: ChildProcess, log: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.stderr!.on('data', () => {
    if (log().includes('"message":"ready"')) resolve()
  })
  child.once('close', (code, signal) => reject(new Error(`The daemon ended with ${code ?? signal}:\n${log()}`)))
  child.once('error', reject)
  return promise
}
