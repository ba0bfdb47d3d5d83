import { join } from 'node:path'
import { cpuMs } from '../support/cpu.ts'
import { create, startHost } from '../support/host.ts'
import { load } from '../support/load.ts'
import type { Bench } from '../support/promise.ts'
import { inParallel, show, summary } from '../support/stats.ts'

const CONTAINERS = 200
const PER_SECOND = 1000
const SECONDS = 10

/** Of ten requests nine are for one container, and one is for the list of all. */
export const requests: Bench = {
  name: 'requests',
  async run(options) {
    await using host = await startHost(options)
    const ids: string[] = []
    await inParallel(CONTAINERS, 4, async () => {
      ids.push(await create(host))
    })
    const socket = join(host.home.run, 'condenser.sock')
    const mix = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        path: index % 10 === 0 ? '/v1/containers' : `/v1/containers/${ids[(index * 7) % CONTAINERS]}/inspect`,
      }))
    await load(socket, PER_SECOND, mix(PER_SECOND))
    const count = Math.round(PER_SECOND * SECONDS * options.scale)
    const before = cpuMs(host.daemon.pid)
    const begun = performance.now()
    const times = summary(await load(socket, PER_SECOND, mix(count)))
    const busy = (cpuMs(host.daemon.pid) - before) / (performance.now() - begun)
    const note = `${PER_SECOND} a second among ${CONTAINERS} containers: ${show(times)}, the daemon busy ${(busy * 100).toFixed(0)} % of a processor`
    return [{ promise: '1000 requests a second, p99', value: times.p99, target: 10, unit: 'ms', note }]
  },
}
