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
    for (let index = 0; index < 50; index++) {
      times.push(
        await timed(async () => {
          const found = (await api.get('/v1/containers?all=true')).json.data.length
          if (found !== 500) throw new Error(`the list has ${found} containers`)
        }),
      )
    }
    const times50 = summary(times)
    return [{ promise: 'list of 500, p50', value: times50.p50, target: 10, unit: 'ms', note: show(times50) }]
  },
}
