import { setTimeout as sleep } from 'node:timers/promises'
import { replicaSetManifest } from '../../test/support/manifests.ts'
import { followObjects } from '../../test/support/object-stream.ts'
import { cpuMs } from '../support/cpu.ts'
import { startHost } from '../support/host.ts'
import { apply } from '../support/kube.ts'
import { childrenOf } from '../support/process-tree.ts'
import type { Bench, Row } from '../support/promise.ts'

const PODS = 100
const MINUTE_MS = 60_000
const SETTLE_MS = 10_000
/** Until the first comparison of records, kernel and disk is over; the next comes after a quarter of an hour. */
const FIRST_CHECK_MS = 75_000

/** The processor time of the daemon, its name server and all monitors while pods do nothing. */
export const idlePods: Bench = {
  name: 'idle-pods',
  async run(options) {
    await using host = await startHost(options)
    const begun = performance.now()
    const windowMs = Math.max(10_000, MINUTE_MS * Math.min(1, options.scale))
    const measure = async (what: string, probes: object): Promise<Row> => {
      const command = ['httpd', '-f', '-p', '80']
      const container = { name: 'main', image: host.image, imagePullPolicy: 'IfNotPresent', command, ...probes }
      const set = replicaSetManifest('idle', PODS, { terminationGracePeriodSeconds: 0, containers: [container] })
      using sets = await followObjects(host.home, 'replicaset')
      await apply(host, set)
      await sets.until(({ status }) => status?.readyReplicas === PODS)
      await sleep(Math.max(SETTLE_MS, begun + FIRST_CHECK_MS - performance.now()))
      const before = busyMs(host.daemon.pid)
      await sleep(windowMs)
      const value = ((busyMs(host.daemon.pid) - before) * MINUTE_MS) / windowMs
      await host.daemon.api.post('/v1/resource/delete?wait=true', JSON.stringify(set))
      const note = `${(value / 600).toFixed(2)} % of a processor, over ${windowMs / 1000} s`
      return { promise: `${PODS} idle pods${what}: processor time a minute`, value, target: 300, unit: 'ms', note }
    }
    const tcpSocket = { readinessProbe: { tcpSocket: { port: 80 } } }
    return [await measure('', {}), await measure(', a TCP probe every 10 s each', tcpSocket)]
  },
}

/** Of the daemon, the name server and all conmons: none of what runs in containers. */
function busyMs(daemon: number): number {
  return [daemon, ...childrenOf(daemon)].reduce((sum, pid) => sum + cpuMs(pid), 0)
}
