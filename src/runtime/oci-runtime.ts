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
  readonly version: string
  readonly path: string
  /** Its `--root`: a directory of state for each container. */
  readonly root: string
  /** @throws {StatusError} with the program's own message */
  run(args: readonly string[]): Promise<void>
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
  if (crun !== undefined && !refuses) return await ociRuntime(thread, 'crun', crun, runDir)
  const runc = choice === 'crun' ? undefined : findExecutable('runc')
  if (runc !== undefined) return await ociRuntime(thread, 'runc', runc, runDir)
  throw missing(choice === 'auto' ? 'crun or runc' : choice)
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

async function ociRuntime(
  thread: KernelThread,
  name: 'crun' | 'runc',
  path: string,
  runDir: string,
): Promise<OciRuntime> {
  const { stdout } = await runProgram(thread, path, [name, '--version'])
  const version = /version (\S+)/.exec(stdout)?.[1] ?? 'unknown'
  const root = join(runDir, name)
  return {
    name,
    version,
    path,
    root,
    async run(args) {
      await runProgram(thread, path, [name, '--root', root, ...args])
    },
  }
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
