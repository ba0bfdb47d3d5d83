import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ociImage } from '../../test/support/oci-image.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import { childrenOf } from '../support/process-tree.ts'
import type { Bench } from '../support/promise.ts'

const CONTAINERS = 20
const IDLE_MS = 60_000

/** Of the daemon, idle: fresh, and a minute after 100 creates and a pull. */
export const daemonMemory: Bench = {
  name: 'daemon-memory',
  async run(options) {
    const files = Array.from({ length: 2000 }, (_, index) => ({
      path: `f/${index}`,
      content: Buffer.alloc(20_000, index),
    }))
    await using host = await startHost(options, { image: ociImage({ layers: [files] }) })
    const { api } = await host.restart()
    await api.get('/v1/version')
    await sleep(5000)
    const fresh = residentMb(host.daemon.pid)
    const ids: string[] = []
    for (let index = 0; index < 100; index++) ids.push(await create(host))
    await api.post('/v1/images', { image: `${host.registry.host}/image` })
    for (const id of ids) await remove(host, id)
    await sleep(IDLE_MS * Math.min(1, options.scale))
    const later = residentMb(host.daemon.pid)
    return [
      { promise: 'RSS of the daemon, fresh', value: fresh, target: 90, unit: 'MB', note: `${fresh.toFixed(1)} MB` },
      {
        promise: 'RSS of the daemon after 100 creates and a pull',
        value: later,
        target: 110,
        unit: 'MB',
        note: `${later.toFixed(1)} MB, private ${privateMb(host.daemon.pid).toFixed(1)}`,
      },
    ]
  },
}

/** Private pages of a container that sleeps and of its conmon. */
export const containerMemory: Bench = {
  name: 'container-memory',
  async run(options) {
    await using host = await startHost(options)
    const ids: string[] = []
    for (let index = 0; index < CONTAINERS; index++) {
      const id = await create(host)
      await start(host, id)
      ids.push(id)
    }
    const { conmons = [], others = [] } = Object.groupBy(childrenOf(host.daemon.pid), (pid) =>
      nameOf(pid) === 'conmon' ? 'conmons' : 'others',
    )
    const [monitors, processes, nameServer] = [conmons, conmons.flatMap(childrenOf), others].map((pids) =>
      pids.reduce((sum, pid) => sum + privateMb(pid), 0),
    )
    for (const id of ids) await remove(host, id)
    const value = (monitors! + processes!) / CONTAINERS
    const each = (sum: number) => (sum / CONTAINERS).toFixed(2)
    const note = `conmon ${each(monitors!)} MB, the process ${each(processes!)} MB; the one name server ${nameServer!.toFixed(1)} MB`
    return [{ promise: 'private memory of a running container', value, target: 0.6, unit: 'MB', note }]
  },
}

/** MB are 10^6 bytes, as in the promises. */
function residentMb(pid: number): number {
  return (Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024) / 1e6
}

function privateMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kib = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce((sum, [, number]) => sum + Number(number), 0)
  return (kib * 1024) / 1e6
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
}
