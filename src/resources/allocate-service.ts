import { StatusError } from '../lib/errors.ts'
import type { ServicePort, ServiceSpec } from '../model/kube/service.ts'
import type { Service } from '../model/kube/stored.ts'
import { addressOf, isHostOf, parseSubnet } from '../model/subnet.ts'
import type { ReadTx } from '../store/index.ts'

const FIRST_NODE_PORT = 30_000
const LAST_NODE_PORT = 32_767

/**
 * A Service's spec with the addresses and ports that it was left to us to choose; what the object that it replaces has
 * stays. @throws {StatusError} `conflict` for what another Service has, `invalid_argument`, `resource_exhausted`
 */
export function allocateService(
  tx: ReadTx,
  name: string,
  spec: ServiceSpec,
  before: Service | undefined,
  serviceSubnet: string,
): ServiceSpec {
  const others = tx.list('Service').filter(({ metadata }) => metadata.uid !== before?.metadata.uid)
  const clusterIP = clusterIpOf(name, spec, before, others, serviceSubnet)
  const withPorts = hasNodePorts(spec) ? nodePortsOf(name, spec.ports ?? [], before, others) : spec.ports
  return {
    ...spec,
    clusterIP,
    clusterIPs: [clusterIP],
    ...(withPorts !== undefined && { ports: withPorts }),
  }
}

function clusterIpOf(
  name: string,
  { clusterIP }: ServiceSpec,
  before: Service | undefined,
  others: readonly Service[],
  serviceSubnet: string,
): string {
  if (clusterIP === 'None') return clusterIP
  const subnet = parseSubnet(serviceSubnet)
  const owners = new Map(others.map((service) => [service.spec.clusterIP, service.metadata]))
  if (clusterIP !== undefined && clusterIP !== '') {
    const owner = owners.get(clusterIP)
    if (owner !== undefined) {
      throw new StatusError(
        'conflict',
        `Cannot give Service "${name}" the address ${clusterIP}: Service "${owner.name}" in namespace ${owner.namespace} has it`,
      )
    }
    if (isHostOf(subnet, clusterIP)) return clusterIP
    throw new StatusError(
      'invalid_argument',
      `Service "${name}": "spec.clusterIP" ${clusterIP} is not an address of ${serviceSubnet}; leave it out, and one is chosen`,
    )
  }
  const had = before?.spec.clusterIP
  if (had !== undefined && had !== 'None') return had
  for (let number = subnet.first + 1n; number < subnet.last; number++) {
    const address = addressOf(number, subnet.family)
    if (!owners.has(address)) return address
  }
  throw new StatusError('resource_exhausted', `No address of ${serviceSubnet} is free for Service "${name}"`)
}

function hasNodePorts({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

function nodePortsOf(
  name: string,
  ports: readonly ServicePort[],
  before: Service | undefined,
  others: readonly Service[],
): ServicePort[] {
  const key = ({ protocol = 'TCP' }: ServicePort, number: number) => `${number}/${protocol}`
  const taken = new Map(
    others.flatMap((service) =>
      (service.spec.ports ?? []).flatMap((port) =>
        port.nodePort ? [[key(port, port.nodePort), service] as const] : [],
      ),
    ),
  )
  const own = new Set(ports.flatMap((port) => (port.nodePort ? [key(port, port.nodePort)] : [])))
  return ports.map((port) => {
    if (port.nodePort) {
      const other = taken.get(key(port, port.nodePort))
      if (other === undefined) return port
      const { name: otherName, namespace } = other.metadata
      throw new StatusError(
        'conflict',
        `Cannot give Service "${name}" the node port ${port.nodePort}: Service "${otherName}" in namespace ${namespace} has it`,
      )
    }
    const had = before?.spec.ports?.find((old) => old.port === port.port && old.protocol === port.protocol)?.nodePort
    const isFree = (number: number) => !taken.has(key(port, number)) && !own.has(key(port, number))
    const nodePort = had && isFree(had) ? had : firstFree(isFree)
    if (nodePort === undefined) {
      throw new StatusError('resource_exhausted', `No node port is free for Service "${name}"`)
    }
    own.add(key(port, nodePort))
    return { ...port, nodePort }
  })
}

/** Begins anywhere: a port that was just given up rests. */
function firstFree(isFree: (port: number) => boolean): number | undefined {
  const count = LAST_NODE_PORT - FIRST_NODE_PORT + 1
  const start = Math.floor(Math.random() * count)
  for (let index = 0; index < count; index++) {
    const port = FIRST_NODE_PORT + ((start + index) % count)
    if (isFree(port)) return port
  }
  return undefined
}
