import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFloor } from '../support/floor.ts'
import { startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** `/bin/true` in a running container, from the request to its exit code. */
export const exec: Bench = {
  name: 'exec',
  async run(options) {
    await using host = await startHost(options)
    await using floor = await openFloor(host)
    const { id, fullId, bundle } = floor.model
    const config = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8'))
    const processFile = join(bundle, 'bench-exec.json')
    await writeFile(processFile, JSON.stringify({ ...config.process, args: ['/bin/true'] }))
    const [ours, bare]: number[][] = [[], []]
    const runOurs = async () => {
      const body = { command: ['/bin/true'], wait: true }
      const { status, text, json } = await host.daemon.api.post(`/v1/containers/${id}/actions/exec`, body)
      if (status !== 200 || json.data.exitCode !== 0) throw new Error(`exec answered ${status}: ${text}`)
    }
    for (let index = 0; index < 100 * options.scale; index++) {
      bare!.push(await timed(() => floor.exec(fullId, processFile)))
      ours!.push(await timed(runOurs))
    }
    const [us, bottom] = [summary(ours!), summary(bare!)]
    const note = `${show(us)}, bare exec ${show(bottom)}`
    return [{ promise: 'exec /bin/true, p50', value: us.p50 / bottom.p50, target: 1.6, unit: 'x', note }]
  },
}
