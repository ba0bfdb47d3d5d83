import { accessSync, constants } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { StatusError } from '../lib/errors.ts'
import { closeFd, pipe } from '../linux/fd.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { existsForChildren, spawnProcess } from '../linux/spawn.ts'
import { runtimeError } from './runtime-message.ts'

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** All that a runtime or monitor gets to know of the daemon. */
export const MINIMAL_ENV: readonly string[] = [`PATH=${DIRECTORIES.join(':')}`]

const HYBRID_CONTROLLERS = '/sys/fs/cgroup/unified/cgroup.controllers'

export type RuntimeChoice = 'auto' | 'crun' | 'runc'

/** The program, called directly. */
export interface OciRuntime {
  readonly name: 'crun' | 'runc'
  readonly path: string
  /** Its `--root`: a directory of state for each container. */
  readonly root: string
  /** @throws {StatusError} with the program's own message */
  run(args: readonly string[]): Promise<void>
}

export interface RuntimeDescription {
  readonly name: OciRuntime['name']
  /** Empty if it is not installed. */
  readonly path: string
  readonly version: string
  readonly used: boolean
  /** Why it is used, or is not. */
  readonly why: string
}

/** crun is three times as fast; it refuses on hosts with hybrid cgroups unless their version 2 hierarchy is hidden from it. */
export async function chooseOciRuntime(
  thread: KernelThread,
  choice: RuntimeChoice,
  runDir: string,
): Promise<OciRuntime> {
  const crun = choice === 'runc' ? undefined : findExecutable('crun')
  const refuses = crun !== undefined && (await existsForChildren(thread, HYBRID_CONTROLLERS))
  if (choice === 'crun' && crun !== undefined && refuses) {
    throw new StatusError(
      'failed_precondition',
      `Cannot use crun: it does not work where it sees ${HYBRID_CONTROLLERS}`,
    )
  }
  if (crun !== undefined && !refuses) return ociRuntime(thread, 'crun', crun, runDir)
  const runc = choice === 'crun' ? undefined : findExecutable('runc')
  if (runc !== undefined) return ociRuntime(thread, 'runc', runc, runDir)
  throw missing(choice === 'auto' ? 'crun or runc' : choice)
}

/** Both runtimes, and why the one that `used` names was chosen. Asks each for its version. */
export async function describeRuntimes(
  thread: KernelThread,
  choice: RuntimeChoice,
  used: OciRuntime['name'],
): Promise<RuntimeDescription[]> {
  const refuses = await existsForChildren(thread, HYBRID_CONTROLLERS)
  return await Promise.all(
    (['crun', 'runc'] as const).map(async (name) => {
      const path = findExecutable(name) ?? ''
      const version = path === '' ? '' : await programVersion(thread, name, path).catch(() => 'unknown')
      return { name, path, version, used: name === used, why: whyChosen(name, { choice, used, path, refuses }) }
    }),
  )
}

function whyChosen(
  name: OciRuntime['name'],
  { choice, used, path, refuses }: { choice: RuntimeChoice; used: string; path: string; refuses: boolean },
): string {
  if (choice !== 'auto')
    return name === used ? 'asked for by the configuration' : `the configuration asks for ${choice}`
  if (path === '') return 'not installed'
  if (name === 'crun') {
    if (name === used) return 'installed, and the faster of the two'
    return refuses ? `it does not work where it sees ${HYBRID_CONTROLLERS}` : 'installed after the daemon was started'
  }
  return name === used ? 'crun cannot be used' : 'crun is there and is faster'
}

/** @throws {StatusError} `failed_precondition` */
export function findConmon(): string {
  const path = findExecutable('conmon')
  if (path === undefined) throw missing('conmon')
  return path
}

/** Programs that need no file of their own in the container, unlike Debian's `tini`. */
const INIT_PROGRAMS = ['catatonit', 'tini-static', 'docker-init']

/** The small init that runs as process 1 where asked for. @throws {StatusError} `failed_precondition` */
export function findInit(): string {
  for (const name of INIT_PROGRAMS) {
    const path = findExecutable(name)
    if (path !== undefined) return path
  }
  throw new StatusError(
    'failed_precondition',
    `Cannot run an init in a container: none of ${INIT_PROGRAMS.join(', ')} is installed; on Debian: apt-get install catatonit`,
  )
}

/** What a pod's infra container runs, with `-P`: it does nothing but hold namespaces and reap. @throws {StatusError} `failed_precondition` */
export function findPause(): string {
  const path = findExecutable('catatonit')
  if (path !== undefined) return path
  throw new StatusError(
    'failed_precondition',
    'Cannot run pods: catatonit, which holds their namespaces, is not installed; on Debian: apt-get install catatonit',
  )
}

function ociRuntime(thread: KernelThread, name: OciRuntime['name'], path: string, runDir: string): OciRuntime {
  const root = join(runDir, name)
  return {
    name,
    path,
    root,
    async run(args) {
      await runProgram(thread, path, [name, '--root', root, ...args])
    },
  }
}

/** @throws {StatusError} with the program's own message */
export async function programVersion(thread: KernelThread, name: string, path: string): Promise<string> {
  const { stdout } = await runProgram(thread, path, [name, '--version'])
  return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown'
}

async function runProgram(thread: KernelThread, path: string, argv: readonly string[]): Promise<{ stdout: string }> {
  const out = pipe()
  const err = pipe()
  const read = (fd: number) => text(new Socket({ fd, readable: true, writable: false }))
  const outputs = Promise.all([read(out.readEnd), read(err.readEnd)])
  let child: Awaited<ReturnType<typeof spawnProcess>>
  try {
    const stdio = ['null', out.writeEnd, err.writeEnd] as const
    child = await spawnProcess(thread, { path, argv, env: MINIMAL_ENV, stdio, cwd: '/' })
  } finally {
    closeFd(out.writeEnd)
    closeFd(err.writeEnd)
  }
  const [exitCode, [stdout, stderr]] = await Promise.all([child.exit, outputs])
  if (exitCode !== 0) throw runtimeError(stderr, { command: [path, ...argv.slice(1)].join(' '), exitCode })
  return { stdout }
}

function findExecutable(name: string): string | undefined {
  return DIRECTORIES.map((directory) => join(directory, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function missing(what: string): StatusError {
  return new StatusError(
    'failed_precondition',
    `Cannot run containers: ${what} is not installed in ${DIRECTORIES.join(', ')}`,
  )
}
