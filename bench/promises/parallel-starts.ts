import { openFloor } from '../support/floor.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { inParallel, timed } from '../support/stats.ts'

const PARALLEL = 8
const PER_ROUND = 24

/** Containers a second with 8 starts under way, against as many bare ones. */
export const parallelStarts: Bench = {
  name: 'parallel',
  async run(options) {
    await using host = await startHost(options)
    await using floor = await openFloor(host)
    const rounds = Math.max(2, Math.round(5 * options.scale))
    let [ours, bare] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const containers = await Promise.all(Array.from({ length: PER_ROUND }, () => floor.prepare()))
      bare += await timed(() =>
        inParallel(PER_ROUND, PARALLEL, async (index) => {
          await containers[index]!.create()
          await containers[index]!.start()
        }),
      )
      await inParallel(PER_ROUND, 2, (index) => containers[index]!.delete())
      const ids: string[] = []
      for (let index = 0; index < PER_ROUND; index++) ids.push(await create(host))
      ours += await timed(() => inParallel(PER_ROUND, PARALLEL, (index) => start(host, ids[index]!)))
      await inParallel(PER_ROUND, 2, (index) => remove(host, ids[index]!))
    }
    const rate = (ms: number) => (rounds * PER_ROUND * 1000) / ms
    return [
      {
        promise: '8 at a time, of the rate of bare ones',
        value: bare / ours,
        target: 0.45,
        unit: 'x',
        atLeast: true,
        note: `${rate(ours).toFixed(0)}/s, bare ${rate(bare).toFixed(0)}/s`,
      },
    ]
  },
}
