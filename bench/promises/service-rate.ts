import { dirname, join } from 'node:path'
import { isReady } from '../../test/support/manifests.ts'
import { followObjects } from '../../test/support/object-stream.ts'
import { startHost } from '../support/host.ts'
import { apply, connect, untilReachable } from '../support/kube.ts'
import type { Bench } from '../support/promise.ts'
import { inParallel, show, summary, timed } from '../support/stats.ts'

const PORT = 8080
const CONNECTIONS = 1000
const AT_ONCE = 16
const SERVER = `require('node:net').createServer((socket) => socket.on('error', () => {}).end()).listen(${PORT})`

/** Connections a second through a Service's address, of those straight to its one pod. */
export const serviceRate: Bench = {
  name: 'service-rate',
  async run(options) {
    await using host = await startHost(options)
    const labels = { app: 'rate' }
    using pods = await followObjects(host.home, 'pod')
    const service = { metadata: { name: 'rate' }, spec: { selector: labels, ports: [{ port: 80, targetPort: PORT }] } }
    await apply(host, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'rate', labels }, spec: serverSpec() })
    await apply(host, { apiVersion: 'v1', kind: 'Service', ...service })
    const { status } = await pods.until(({ status }) => isReady({ status }))
    const { spec } = (await host.daemon.api.get('/v1/objects/service')).json.data[0]
    const ways = [
      { times: [] as number[], address: status.podIP as string, port: PORT },
      { times: [] as number[], address: spec.clusterIP as string, port: 80 },
    ]
    await untilReachable(spec.clusterIP, 80)
    for (let round = 0; round < Math.max(2, 30 * options.scale); round++)
      for (const { times, address, port } of round % 2 === 0 ? ways : ways.toReversed())
        times.push(await timed(() => inParallel(CONNECTIONS, AT_ONCE, () => connect(address, port))))
    const [straight, through] = ways.map(({ times }) => summary(times))
    const note = `${CONNECTIONS} connections straight ${show(straight!)}, through the Service ${show(through!)}`
    const value = straight!.p50 / through!.p50
    return [
      {
        promise: 'connections through a Service, of those to its pod',
        value,
        target: 0.95,
        unit: 'x',
        atLeast: true,
        note,
      },
    ]

    /** A server that is faster than busybox's httpd, which forks: the daemon's own Node, and the host's libraries. */
    function serverSpec(): object {
      const paths = {
        '/usr/bin/node': join(dirname(options.condenser), '../lib/node'),
        '/lib': '/usr/lib',
        '/lib64': '/usr/lib64',
      }
      const mounts = Object.entries(paths).map(([mountPath, path], index) => ({ name: `v${index}`, mountPath, path }))
      return {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: host.image,
            imagePullPolicy: 'IfNotPresent',
            command: ['/usr/bin/node', '-e', SERVER],
            readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
            volumeMounts: mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
          },
        ],
        volumes: mounts.map(({ name, path }) => ({ name, hostPath: { path } })),
      }
    }
  },
}
