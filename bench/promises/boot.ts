import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiClient } from '../../test/support/api-client.ts'
import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'
import { bareNode } from '../support/bare-node.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { inParallel, show, summary, timed } from '../support/stats.ts'

const RUNNING = 200

/** From the start of the process to its first answer, without and with containers that run. */
export const boot: Bench = {
  name: 'boot',
  async run(options) {
    await using host = await startHost(options)
    const [empty, bare]: [number[], number[]] = [[], []]
    // As most start it, without a configuration file: to read one takes as long as half of Node's start.
    const { config, cgroupParent } = host.home
    await rename(config, `${config}.away`)
    for (let index = 0; index < 10; index++) {
      bare.push((await bareNode(1)).p50)
      await host.daemon.stop()
      const restarted = host.restart({ ...host.options, args: ['--cgroup-parent', cgroupParent] })
      empty.push(await timed(() => firstAnswer(host)))
      await restarted
    }
    await rename(`${config}.away`, config)
    const count = Math.round(RUNNING * options.scale)
    const ids: string[] = []
    await inParallel(count, 4, async () => {
      const id = await create(host)
      await start(host, id)
      ids.push(id)
    })
    const [full, fullFirst]: [number[], number[]] = [[], []]
    for (let index = 0; index < 3; index++) {
      await host.daemon.stop()
      const restarted = host.restart()
      fullFirst.push(await timed(() => firstAnswer(host)))
      await restarted
      await host.daemon.stop()
      full.push(
        await timed(async () => {
          const { api } = await host.restart()
          const running = (await api.get('/v1/containers')).json.data.length
          if (running !== count) throw new Error(`${running} of ${count} containers run after a restart`)
        }),
      )
    }
    await inParallel(count, 4, (index) => remove(host, ids[index]!))
    const [first, firstOfFull, listed] = [summary(empty), summary(fullFirst), summary(full)]
    return [
      {
        promise: 'start to first answer, p50',
        value: first.p50,
        target: 250,
        unit: 'ms',
        note: `${show(first)}, bare node ${show(summary(bare))}`,
      },
      {
        promise: `first answer with ${count} running, all of them adopted`,
        value: firstOfFull.p50,
        target: 400,
        unit: 'ms',
        note: show(firstOfFull),
      },
      {
        promise: `list of ${count} running after a restart`,
        value: listed.p50,
        target: 1000,
        unit: 'ms',
        note: show(listed),
      },
    ]
  },
}

/** A client that was there before the daemon: the log tells that it is ready only when all its listeners are open. */
async function firstAnswer({ home }: DaemonFixture): Promise<void> {
  const api = apiClient(join(home.run, 'condenser.sock'))
  for (;;) {
    const answer = await api.get('/v1/health').catch(() => undefined)
    if (answer?.status === 200) return
    await sleep(2)
  }
}
