import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cgroupMode } from '../../src/linux/cgroup.ts'
import { unmount } from '../../src/linux/mount.ts'
import { type ApiClient, apiClient } from '../../test/support/api-client.ts'
import { untilItAnswers } from './answers.ts'
import type { Peer } from './peer.ts'

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
  const run = await mkdtemp('/run/cp-')
  const socket = join(directory, 'podman.sock')
  const registries = join(directory, 'registries.conf')
  await writeFile(registries, '[[registry]]\nprefix = "127.0.0.1"\nlocation = "127.0.0.1"\ninsecure = true\n')
  // Its own defaults are above what this host may allow.
  const settings = join(directory, 'containers.conf')
  await writeFile(settings, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
  const flags = [
    ...['--root', join(directory, 'root'), '--runroot', join(run, 'run'), '--storage-driver', 'overlay'],
    ...['--cgroup-manager', 'cgroupfs', '--runtime', runtime, '--tmpdir', join(run, 'tmp')],
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
  await untilItAnswers(child, api, '/v4.0.0/libpod/_ping', () => log)
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

/** As a peer to be measured against. */
export async function podmanPeer(runtime: string): Promise<Peer | undefined> {
  const podman = await startPodman(runtime)
  if (podman === undefined) return undefined
  const libpod = async (method: string, path: string, body?: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const { status, text } = await podman.api.send(method, `/v4.0.0/libpod/containers/${path}`, body, headers)
    if (status >= 300) throw new Error(`podman answered ${status}: ${text}`)
    return text
  }
  return {
    name: 'podman',
    async pull(image) {
      await podman.pull(image)
    },
    async run(image) {
      const spec = { image, command: ['sleep', '10000'], netns: { nsmode: 'bridge' } }
      const { Id } = JSON.parse(await libpod('POST', 'create', spec))
      await libpod('POST', `${Id}/start`)
      return Id
    },
    async remove(id) {
      await libpod('DELETE', `${id}?force=true&timeout=0`)
    },
    [Symbol.asyncDispose]: () => podman[Symbol.asyncDispose](),
  }
}
