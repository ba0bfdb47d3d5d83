import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startHost } from '../support/host.ts'
import { startPodman } from '../support/podman.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

const run = promisify(execFile)

/** `run -d` as people type it, whole processes, with the same OCI runtime. Both are called in podman's mount namespace. */
export const runAgainstPodman: Bench = {
  name: 'run',
  async run(options) {
    await using host = await startHost(options)
    const { name } = (await host.daemon.api.get('/v1/version')).json.data.runtime
    await using podman = await startPodman(name)
    if (podman === undefined) {
      console.error('run: skipped, podman is not installed')
      return []
    }
    const image = `${host.image}:latest`
    await podman.pull(image)
    const env = { ...process.env, CONDENSER_SOCKET: join(host.home.run, 'condenser.sock') }
    const raind = (...args: string[]) => run('nsenter', [...podman.enter, options.raind, ...args], { env })
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let index = 0; index < 20 * options.scale; index++) {
      ours.push(await timed(() => raind('run', '-d', '--name', 'one', image, 'sleep', '10000')))
      await raind('rm', '-f', 'one')
      theirs.push(await timed(() => podman.cli('run', '-d', '--name', 'one', image, 'sleep', '10000')))
      await podman.cli('rm', '-f', '-t', '0', 'one')
    }
    const [us, them] = [summary(ours), summary(theirs)]
    return [
      {
        promise: `raind run -d with ${name}, faster than podman run -d`,
        value: them.p50 / us.p50,
        target: 1.5,
        unit: 'x',
        atLeast: true,
        note: `${show(us)}, podman ${show(them)}`,
      },
    ]
  },
}
