import { create, remove, start, startHost } from '../support/host.ts'
import { startPodman } from '../support/podman.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** Create and start, request by request, both over HTTP on a unix socket. */
export const startAgainstPodman: Bench = {
  name: 'podman',
  async run(options) {
    await using host = await startHost(options)
    await using podman = await startPodman()
    if (podman === undefined) {
      console.error('podman: skipped, it is not installed')
      return []
    }
    const image = `${host.image}:latest`
    await podman.pull(image)
    const [ours, theirs]: number[][] = [[], []]
    const libpod = async (method: string, path: string, body?: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const { status, text } = await podman.api.send(method, `/v4.0.0/libpod/containers/${path}`, body, headers)
      if (status >= 300) throw new Error(`podman answered ${status}: ${text}`)
      return text
    }
    for (let index = 0; index < 40 * options.scale; index++) {
      let id = ''
      ours!.push(
        await timed(async () => {
          id = await create(host)
          await start(host, id)
        }),
      )
      await remove(host, id)
      const spec = { image, command: ['sleep', '10000'], netns: { nsmode: 'bridge' } }
      theirs!.push(
        await timed(async () => {
          id = JSON.parse(await libpod('POST', 'create', spec)).Id
          await libpod('POST', `${id}/start`)
        }),
      )
      await libpod('DELETE', `${id}?force=true&timeout=0`)
    }
    const [us, them] = [summary(ours!), summary(theirs!)]
    const { name } = (await host.daemon.api.get('/v1/version')).json.data.runtime
    return [
      {
        promise: `create + start with ${name}, faster than podman`,
        value: them.p50 / us.p50,
        target: name === 'crun' ? 5 : 2,
        unit: 'x',
        atLeast: true,
        note: `${show(us)}, podman ${show(them)}`,
      },
    ]
  },
}
