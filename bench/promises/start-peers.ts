import { startDockerd } from '../support/dockerd.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Peer } from '../support/peer.ts'
import { podmanPeer } from '../support/podman.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** Create and start, request by request, both over HTTP on a unix socket and with the same OCI runtime. */
function startAgainst(
  name: string,
  open: (runtime: string) => Promise<Peer | undefined>,
  targets: { readonly crun: number; readonly runc: number },
): Bench {
  return {
    name,
    async run(options) {
      await using host = await startHost(options)
      const { name: runtime } = (await host.daemon.api.get('/v1/version')).json.data.runtime as {
        name: 'crun' | 'runc'
      }
      await using peer = await open(runtime)
      if (peer === undefined) {
        console.error(`${name}: skipped, it is not installed`)
        return []
      }
      const image = `${host.image}:latest`
      await peer.pull(image)
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (let index = 0; index < 40 * options.scale; index++) {
        let id = ''
        ours.push(
          await timed(async () => {
            id = await create(host)
            await start(host, id)
          }),
        )
        await remove(host, id)
        theirs.push(
          await timed(async () => {
            id = await peer.run(image)
          }),
        )
        await peer.remove(id)
      }
      const [us, them] = [summary(ours), summary(theirs)]
      return [
        {
          promise: `create + start with ${runtime}, faster than ${name}`,
          value: them.p50 / us.p50,
          target: targets[runtime],
          unit: 'x',
          atLeast: true,
          note: `${show(us)}, ${name} ${show(them)}`,
        },
      ]
    },
  }
}

export const startAgainstPodman = startAgainst('podman', podmanPeer, { crun: 5, runc: 2 })
export const startAgainstDockerd = startAgainst('dockerd', startDockerd, { crun: 9, runc: 4 })
