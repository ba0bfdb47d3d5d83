import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cgroupMode } from '../../src/linux/cgroup.ts'
import { unmount } from '../../src/linux/mount.ts'
import { type ApiClient, apiClient } from '../../test/support/api-client.ts'

const PODMAN = '/usr/bin/podman'

/** A podman with state of its own. */
export interface Podman extends AsyncDisposable {
  /** libpod's REST API. */
  readonly api: ApiClient
  /** Flags that take nsenter into its mount namespace. */
  readonly enter: readonly string[]
  /** The whole program, called there. */
  cli(...args: string[]): Promise<unknown>
  pull(reference: string): Promise<unknown>
  remove(reference: string): Promise<unknown>
}

/** Undefined if it is not installed. It lives, as crun must, in a mount namespace without the hybrid cgroup hierarchy. */
export async function startPodman(runtime = 'crun'): Promise<Podman | undefined> {
  if (!existsSync(PODMAN)) return undefined
  const directory = await mkdtemp('/var/tmp/cp-')
  const socket = join(directory, 'podman.sock')
  const registries = join(directory, 'registries.conf')
  await writeFile(registries, '[[registry]]\nprefix = "127.0.0.1"\nlocation = "127.0.0.1"\ninsecure = true\n')
  // Its own defaults are above what this host may allow.
  const settings = join(directory, 'containers.conf')
  await writeFile(settings, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
  const flags = [
    ...['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'overlay'],
    ...['--cgroup-manager', 'cgroupfs', '--runtime', runtime, '--tmpdir', join(directory, 'tmp')],
  ]
  const env = { ...process.env, TMPDIR: directory, CONTAINERS_REGISTRIES_CONF: registries, CONTAINERS_CONF: settings }
  const command = [PODMAN, ...flags, 'system', 'service', '--time', '0', `unix://${socket}`]
  const hide = cgroupMode() === 'hybrid' ? 'umount -l /sys/fs/cgroup/unified; ' : ''
  const child = spawn('unshare', ['--mount', 'sh', '-c', `${hide}exec "$@"`, 'sh', ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  })
  let log = ''
  child.stderr!.on('data', (chunk) => (log += chunk))
  const api = apiClient(socket)
  await untilItAnswers(child, api, () => log)
  const cli = promisify(execFile)
  const enter = [`--mount=/proc/${child.pid}/ns/mnt`]
  return {
    api,
    enter,
    cli: (...args) => cli('nsenter', [...enter, PODMAN, ...flags, ...args], { env }),
    pull: (reference) => cli(PODMAN, [...flags, 'pull', '--quiet', '--tls-verify=false', reference], { env }),
    remove: (reference) => cli(PODMAN, [...flags, 'rmi', '--force', reference], { env }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await once(child, 'exit')
      while (unmount(join(directory, 'root/overlay')));
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function untilItAnswers(child: ChildProcess, api: ApiClient, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await api.get('/v4.0.0/libpod/_ping').catch(() => undefined)
    if (answer?.status === 200) return
    if (child.exitCode !== null) break
    await sleep(50)
  }
  throw new Error(`podman does not answer: ${log()}`)
}
