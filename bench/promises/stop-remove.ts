import { openFloor } from '../support/floor.ts'
import { create, remove, start, startHost, stop } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** Stop and remove, against the runtime's kill and delete; with SIGKILL, so that no process's own end is measured. */
export const stopRemove: Bench = {
  name: 'stop-remove',
  async run(options) {
    await using host = await startHost(options)
    await using floor = await openFloor(host)
    const [stopped, removed, ours, bare]: number[][] = [[], [], [], []]
    for (let index = 0; index < 100 * options.scale; index++) {
      const container = await floor.prepare()
      await container.create()
      await container.start()
      bare!.push(
        await timed(async () => {
          await container.kill()
          await container.delete()
        }),
      )
      const id = await create(host)
      await start(host, id)
      stopped!.push(await timed(() => stop(host, id)))
      removed!.push(await timed(() => remove(host, id)))
      ours!.push(stopped!.at(-1)! + removed!.at(-1)!)
    }
    const [us, bottom] = [summary(ours!), summary(bare!)]
    const parts = `stop ${show(summary(stopped!))}, remove ${show(summary(removed!))}`
    const note = `${show(us)}: ${parts}; bare kill + delete ${show(bottom)}`
    return [{ promise: 'stop + remove, p50', value: us.p50 / bottom.p50, target: 2, unit: 'x', note }]
  },
}
