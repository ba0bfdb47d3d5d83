import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { cgroupHierarchies, cgroupMode, removeCgroup } from '../../src/linux/cgroup.ts'
import { closeFd, pipe } from '../../src/linux/fd.ts'
import { hideUnifiedCgroup, type KernelThread, startKernelThread } from '../../src/linux/kernel-thread.ts'
import { spawnProcess } from '../../src/linux/spawn.ts'
import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'
import { create, remove, start } from './host.ts'

/**
 * The least that a container can cost: the daemon's own OCI runtime, run by hand on the config.json that the daemon has
 * written, with the same root filesystem, network namespace and seccomp filter.
 *
 * Its processes are spawned as the daemon's are, from a thread with a mount namespace: crun works only where it sees no
 * hybrid cgroup hierarchy, and no wrapper's time is in the figures.
 */
export interface Floor extends AsyncDisposable {
  /** Writes a bundle; not a part of what is measured. */
  prepare(): Promise<FloorContainer>
  /** A container of the daemon. */
  exec(fullId: string, processFile: string, options?: readonly string[]): Promise<void>
  /** Of the container that the bundles are copied from. */
  readonly model: { readonly id: string; readonly fullId: string; readonly bundle: string }
}

export interface FloorContainer {
  create(): Promise<void>
  start(): Promise<void>
  kill(): Promise<void>
  delete(): Promise<void>
}

export async function openFloor(host: DaemonFixture): Promise<Floor> {
  const { home, daemon } = host
  const model = await create(host)
  await start(host, model)
  const { name, path } = await runtimeOf(host)
  const bundle = join(home.run, 'containers', model)
  const config = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8'))
  const fullId: string = (await daemon.api.get(`/v1/containers/${model}/inspect`)).json.data.metadata.uid
  const cgroups = `${home.cgroupParent}-floor`
  const directory = join(home.run, 'floor')
  const thread = startKernelThread(new URL('../../src/daemon/kernel-thread.ts', import.meta.url))
  if (cgroupMode() === 'hybrid') await hideUnifiedCgroup(thread)
  const root = join(directory, 'state')
  const run = (...args: string[]) => runToEnd(thread, path, [name, '--root', root, ...args])

  return {
    model: { id: model, fullId, bundle },
    async prepare() {
      const id = `floor-${randomBytes(6).toString('hex')}`
      const own = join(directory, id)
      await mkdir(own, { recursive: true })
      const spec = { ...config, linux: { ...config.linux, cgroupsPath: join(cgroups, id) } }
      await writeFile(join(own, 'config.json'), JSON.stringify(spec))
      return {
        create: () => run('create', '--bundle', own, id),
        start: () => run('start', id),
        kill: () => run('kill', id, 'KILL'),
        delete: () => run('delete', '--force', id),
      }
    },
    exec: (fullId, processFile, options = []) =>
      runToEnd(thread, path, [
        name,
        '--root',
        join(home.run, name),
        'exec',
        '--process',
        processFile,
        ...options,
        fullId,
      ]),
    async [Symbol.asyncDispose]() {
      await thread[Symbol.asyncDispose]()
      await remove(host, model)
      await removeCgroup(cgroups, cgroupHierarchies())
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function runtimeOf({ daemon }: DaemonFixture): Promise<{ name: string; path: string }> {
  const { name } = (await daemon.api.get('/v1/version')).json.data.runtime
  return { name, path: name === 'crun' ? '/usr/bin/crun' : '/usr/sbin/runc' }
}

/** Of a container, the streams stay open after the runtime's end: only its own end is waited for. */
async function runToEnd(thread: KernelThread, path: string, argv: readonly string[]): Promise<void> {
  const { readEnd, writeEnd } = pipe()
  const stderr = new Socket({ fd: readEnd, readable: true, writable: false })
  const output = text(stderr).catch(() => '')
  try {
    const child = await spawnProcess(thread, {
      path,
      argv,
      env: ['PATH=/usr/sbin:/usr/bin'],
      stdio: ['null', 'null', writeEnd],
      cwd: '/',
    }).finally(() => closeFd(writeEnd))
    const code = await child.exit
    if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code}: ${await output}`)
  } finally {
    stderr.destroy()
  }
}
