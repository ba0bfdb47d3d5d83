import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bareNode } from '../support/bare-node.ts'
import { startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

const run = promisify(execFile)

/** The CLI's whole process, with a daemon that answers. */
export const raindVersion: Bench = {
  name: 'raind-version',
  async run(options) {
    await using host = await startHost(options)
    const env = { ...process.env, CONDENSER_SOCKET: join(host.home.run, 'condenser.sock') }
    const [times, bare]: [number[], number[]] = [[], []]
    for (let index = 0; index < 30; index++) {
      bare.push((await bareNode(1)).p50)
      times.push(await timed(() => run(options.raind, ['version'], { env })))
    }
    const found = summary(times)
    return [
      {
        promise: 'raind version, p50',
        value: found.p50,
        target: 80,
        unit: 'ms',
        note: `${show(found)}, bare node ${show(summary(bare))}`,
      },
    ]
  },
}
