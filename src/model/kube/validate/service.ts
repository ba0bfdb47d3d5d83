import { addressFamily } from '../../../lib/ip-address.ts'
import { dnsLabelProblem } from '../names.ts'
import type { ServicePort, ServiceSpec } from '../service.ts'
import { type Faults, faultIf, repeatFaults } from './fault-if.ts'
import { labelFaults } from './metadata.ts'
import { portFaults } from './probe.ts'

/** kube-apiserver's --service-node-port-range, by default. */
const NODE_PORTS = { first: 30_000, last: 32_767 }

export function* serviceFaults(path: string, spec: ServiceSpec): Faults {
  const { selector = {}, ports = [], type = 'ClusterIP' } = spec
  const isHeadless = spec.clusterIP === 'None'
  yield* labelFaults(`${path}.selector`, selector)
  yield* faultIf(`${path}.ports`, ports.length === 0 && !isHeadless && 'must have at least one port')
  yield* clusterIpFaults(path, spec)
  yield* faultIf(`${path}.clusterIP`, isHeadless && type !== 'ClusterIP' && `must not be None with "type": "${type}"`)
  const named = ports.flatMap(({ name }, index) => (name ? [[`${path}.ports[${index}].name`, name] as const] : []))
  yield* repeatFaults(named)
  yield* repeatFaults(ports.map((port, index) => [`${path}.ports[${index}].port`, `${port.protocol} ${port.port}`]))
  yield* repeatFaults(
    ports.flatMap(({ nodePort, protocol }, index) =>
      nodePort ? [[`${path}.ports[${index}].nodePort`, `${protocol} ${nodePort}`] as const] : [],
    ),
  )
  for (const [index, port] of ports.entries()) {
    const at = `${path}.ports[${index}]`
    yield* faultIf(
      `${at}.name`,
      ports.length > 1 && port.name === undefined && 'is missing: there is more than one port',
    )
    yield* servicePortFaults(at, port, type)
  }
}

function* servicePortFaults(path: string, port: ServicePort, type: ServiceSpec['type']): Faults {
  const { name, targetPort, nodePort } = port
  if (name !== undefined) yield* faultIf(`${path}.name`, dnsLabelProblem(name))
  if (targetPort !== undefined) yield* portFaults(`${path}.targetPort`, targetPort)
  if (!nodePort) return
  const { first, last } = NODE_PORTS
  const isOutside = nodePort < first || nodePort > last
  yield* faultIf(`${path}.nodePort`, isOutside && `must be from ${first} to ${last}, not ${nodePort}`)
  yield* faultIf(`${path}.nodePort`, type === 'ClusterIP' && 'must be absent with "type": "ClusterIP"')
}

function* clusterIpFaults(path: string, { clusterIP, clusterIPs = [] }: ServiceSpec): Faults {
  const isAddress = clusterIP === undefined || clusterIP === 'None' || addressFamily(clusterIP) === 4
  yield* faultIf(`${path}.clusterIP`, !isAddress && 'must be an IPv4 address, or None for a headless Service')
  const differs = clusterIPs.length > 0 && clusterIPs[0] !== clusterIP
  yield* faultIf(`${path}.clusterIPs[0]`, differs && `must be the same as "${path}.clusterIP"`)
}
