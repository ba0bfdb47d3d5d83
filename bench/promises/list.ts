import { cpuMs } from '../support/cpu.ts'
import { create, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { inParallel, show, summary, timed } from '../support/stats.ts'

export const list: Bench = {
  name: 'list',
  async run(options) {
    await using host = await startHost(options)
    const { api } = host.daemon
    await inParallel(500, 4, () => create(host))
    const times: number[] = []
    const before = cpuMs(host.daemon.pid)
    for (let index = 0; index < 50; index++) {
      times.push(
        await timed(async () => {
          const found = (await api.get('/v1/containers?all=true')).json.data.length
          if (found !== 500) throw new Error(`the list has ${found} containers`)
        }),
      )
    }
    const cpu = (cpuMs(host.daemon.pid) - before) / times.length
    const found = summary(times)
    const note = `${show(found)}, of it ${cpu.toFixed(1)} ms of processor time in the daemon`
    return [{ promise: 'list of 500, p50', value: found.p50, target: 10, unit: 'ms', note }]
  },
}
