import { setTimeout as sleep } from 'node:timers/promises'
import { followEvents } from '../../test/support/event-stream.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary } from '../support/stats.ts'

/** How long the kernel takes to finish with the container before and with this one's start. */
const SETTLE_MS = 250

/** From the end of a container's process to the line that tells a follower; the machine does nothing else. */
export const events: Bench = {
  name: 'events',
  async run(options) {
    await using host = await startHost(options)
    using followed = await followEvents(host.home, 'filter=event=die')
    const times: number[] = []
    for (let index = 0; index < 200 * options.scale; index++) {
      const id = await create(host)
      await start(host, id)
      const { pid } = (await host.daemon.api.get(`/v1/containers/${id}`)).json.data
      await sleep(SETTLE_MS)
      const begun = performance.now()
      process.kill(pid, 'SIGKILL')
      await followed.take(1)
      times.push(performance.now() - begun)
      await remove(host, id)
    }
    const note = `exit to event on the wire ${show(summary(times))}`
    return [{ promise: 'exit to event on the wire, p99', value: summary(times).p99, target: 10, unit: 'ms', note }]
  },
}
