import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bareNode } from '../support/bare-node.ts'
import { startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

const run = promisify(execFile)

/** The CLI's whole process, from exec to exit, with a daemon that answers; and a Node that does nothing beside it. */
export const raind: Bench = {
  name: 'raind',
  async run(options) {
    await using host = await startHost(options)
    const env = { ...process.env, CONDENSER_SOCKET: join(host.home.run, 'condenser.sock') }
    const [version, ps, bare]: [number[], number[], number[]] = [[], [], []]
    for (let index = 0; index < 30; index++) {
      bare.push((await bareNode(1)).p50)
      version.push(await timed(() => run(options.raind, ['version'], { env })))
      ps.push(await timed(() => run(options.raind, ['ps'], { env })))
    }
    const [ofVersion, ofPs, ofBare] = [version, ps, bare].map(summary) as [
      ReturnType<typeof summary>,
      ReturnType<typeof summary>,
      ReturnType<typeof summary>,
    ]
    const note = `version ${show(ofVersion)}, ps ${show(ofPs)}, bare node ${show(ofBare)}`
    return [
      { promise: 'raind version, p50', value: ofVersion.p50, target: 80, unit: 'ms', note },
      { promise: 'raind ps, p50', value: ofPs.p50, target: 90, unit: 'ms', note },
      { promise: 'raind ps, of a Node that does nothing', value: ofPs.p50 / ofBare.p50, target: 2, unit: 'x', note },
    ]
  },
}
