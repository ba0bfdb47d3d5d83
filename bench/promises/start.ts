import { type FloorContainer, openFloor } from '../support/floor.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** From the request to the answer that the process runs. */
export const startLatency: Bench = {
  name: 'start',
  async run(options) {
    await using host = await startHost(options)
    await using floor = await openFloor(host)
    const count = Math.round(100 * options.scale)
    const [ours, created, bare]: number[][] = [[], [], []]
    const runFloor = async (container: FloorContainer) => {
      bare!.push(
        await timed(async () => {
          await container.create()
          await container.start()
        }),
      )
      await container.delete()
    }
    const runOurs = async () => {
      let id = ''
      created!.push(await timed(async () => (id = await create(host))))
      ours!.push(await timed(() => start(host, id)))
      await remove(host, id)
    }
    for (let index = 0; index < count; index++) {
      const container = await floor.prepare()
      // Each goes first half of the times.
      if (index % 2 === 0) await runFloor(container)
      await runOurs()
      if (index % 2 === 1) await runFloor(container)
    }
    const [us, bottom] = [summary(ours!), summary(bare!)]
    const note = `start ${show(us)}, bare ${show(bottom)}; create before it ${show(summary(created!))}`
    return [
      { promise: 'request to process running, p50', value: us.p50 / bottom.p50, target: 1.5, unit: 'x', note },
      { promise: 'request to process running, p99', value: us.p99 / bottom.p50, target: 4, unit: 'x', note },
    ]
  },
}
