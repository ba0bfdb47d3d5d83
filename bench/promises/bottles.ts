import type { DaemonFixture } from '../../test/support/daemon-fixture.ts'
import { openFloor } from '../support/floor.ts'
import { startHost } from '../support/host.ts'
import type { Bench, Row } from '../support/promise.ts'
import { inParallel, show, summary, timed } from '../support/stats.ts'

const SERVICES = 10
/** Ends at once when it is asked to. */
const OBEYS = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done']

/** A bottle of services of one image that is there: up, up again, down; beside as many bare starts. */
export const bottles: Bench = {
  name: 'bottles',
  async run(options) {
    await using host = await startHost(options)
    await using floor = await openFloor(host)
    const services = Object.fromEntries(
      Array.from({ length: SERVICES }, (_, index) => [`s${index}`, { image: host.image, command: OBEYS }]),
    )
    const project = JSON.stringify({ name: 'bench', services })
    const [up, same, down, bare]: [number[], number[], number[], number[]] = [[], [], [], []]
    await bringUp(host, project)
    await takeDown(host)
    for (let round = 0; round < Math.max(3, Math.round(10 * options.scale)); round++) {
      up.push(await timed(() => bringUp(host, project)))
      same.push(await timed(() => bringUp(host, project)))
      down.push(await timed(() => takeDown(host)))
      const containers = await Promise.all(Array.from({ length: SERVICES }, () => floor.prepare()))
      bare.push(
        await timed(() =>
          inParallel(SERVICES, SERVICES, async (index) => {
            await containers[index]!.create()
            await containers[index]!.start()
          }),
        ),
      )
      await inParallel(SERVICES, 2, (index) => containers[index]!.delete())
    }
    const row = (promise: string, values: readonly number[], target: number): Row => {
      const { p50 } = summary(values)
      return { promise, value: p50, target, unit: 'ms', note: show(summary(values)) }
    }
    return [
      row(`up of ${SERVICES} services to all running`, up, 600),
      {
        promise: 'the same, to as many bare starts side by side',
        value: summary(up).p50 / summary(bare).p50,
        target: 3,
        unit: 'x',
        note: `${show(summary(up))}, bare ${show(summary(bare))}`,
      },
      row('up of the same again', same, 60),
      row('down', down, 500),
    ]
  },
}

async function bringUp({ daemon }: DaemonFixture, project: string): Promise<void> {
  const { text } = await daemon.api.send('PUT', '/v1/bottle', project)
  if (!text.includes('"type":"done"')) throw new Error(text)
}

async function takeDown({ daemon }: DaemonFixture): Promise<void> {
  const { status, text } = await daemon.api.post('/v1/bottle/bench/actions/delete', {})
  if (status !== 200) throw new Error(text)
}
