import { followEvents } from '../../test/support/event-stream.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary } from '../support/stats.ts'

/** From the end of a container's process to the line that tells a follower; the daemon does nothing else. */
export const events: Bench = {
  name: 'events',
  async run(options) {
    await using host = await startHost(options)
    using followed = await followEvents(host.home, 'filter=event=die')
    const times: number[] = []
    for (let index = 0; index < 100 * options.scale; index++) {
      const id = await create(host)
      await start(host, id)
      const { pid } = (await host.daemon.api.get(`/v1/containers/${id}`)).json.data
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
