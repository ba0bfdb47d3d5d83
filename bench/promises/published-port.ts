import { execFileSync } from 'node:child_process'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** What a published port adds to a start. */
export const publishedPort: Bench = {
  name: 'port',
  async run(options) {
    await using host = await startHost(options)
    const times = { without: [] as number[], with: [] as number[] }
    const bare: number[] = []
    for (let index = 0; index < 60 * options.scale; index++) {
      const kinds = index % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)
      bare.push(await timed(restoreNothing))
      for (const kind of kinds) {
        const id = await create(host, kind === 'with' ? { port: [`${18_000 + index}:80`] } : {})
        times[kind].push(await timed(() => start(host, id)))
        await remove(host, id)
      }
    }
    const [without, published] = [summary(times.without), summary(times.with)]
    return [
      {
        promise: 'start with a published port, more than without',
        value: published.p50 - without.p50,
        target: 5,
        unit: 'ms',
        note: `with ${show(published)}, without ${show(without)}; an iptables-restore alone ${show(summary(bare))}`,
      },
    ]
  },
}

async function restoreNothing(): Promise<void> {
  execFileSync('iptables-restore', ['--noflush'], { input: '*nat\nCOMMIT\n' })
}
