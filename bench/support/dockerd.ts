import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cgroupHierarchies, cgroupMode, removeCgroup } from '../../src/linux/cgroup.ts'
import { unmount } from '../../src/linux/mount.ts'
import { apiClient } from '../../test/support/api-client.ts'
import { untilItAnswers } from './answers.ts'
import type { Peer } from './peer.ts'

const DOCKERD = '/usr/sbin/dockerd'
const API = '/v1.41'

/** A dockerd with state of its own, and a containerd of its own; undefined if it is not installed. */
export async function startDockerd(runtime: string): Promise<Peer | undefined> {
  if (!existsSync(DOCKERD)) return undefined
  const directory = await mkdtemp('/var/tmp/cp-')
  const socket = join(directory, 'docker.sock')
  const cgroups = `/condenser-bench-docker-${process.pid}`
  const flags = [
    ...['--data-root', join(directory, 'root'), '--exec-root', await mkdtemp('/run/cp-'), '--host', `unix://${socket}`],
    ...['--pidfile', join(directory, 'pid'), '--exec-opt', 'native.cgroupdriver=cgroupfs', '--cgroup-parent', cgroups],
    ...(runtime === 'runc' ? [] : ['--add-runtime', `${runtime}=/usr/bin/${runtime}`, '--default-runtime', runtime]),
  ]
  // crun works only where it does not see a hybrid cgroup hierarchy.
  const hide = cgroupMode() === 'hybrid' ? 'umount -l /sys/fs/cgroup/unified; ' : ''
  const child = spawn('unshare', ['--mount', 'sh', '-c', `${hide}exec "$@"`, 'sh', DOCKERD, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr!.on('data', (chunk) => {
    log += chunk
  })
  const api = apiClient(socket)
  await untilItAnswers(child, api, '/_ping', () => log)
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const { status, text } = await api.send(method, `${API}${path}`, body, headers)
    if (status >= 300) throw new Error(`dockerd answered ${status}: ${text}`)
    return text
  }
  return {
    name: 'dockerd',
    async pull(image) {
      await call('POST', `/images/create?fromImage=${encodeURIComponent(image)}`)
    },
    async run(image) {
      const { Id } = JSON.parse(await call('POST', '/containers/create', { Image: image, Cmd: ['sleep', '10000'] }))
      await call('POST', `/containers/${Id}/start`)
      return Id
    },
    async remove(id) {
      await call('DELETE', `/containers/${id}?force=true`)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await once(child, 'exit')
      while (unmount(join(directory, 'root')));
      await removeCgroup(cgroups, cgroupHierarchies())
      await rm(directory, { recursive: true, force: true })
    },
  }
}
