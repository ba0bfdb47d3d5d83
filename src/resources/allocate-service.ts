import { StatusError } from '../lib/errors.ts'
import type { ServicePort, ServiceSpec } from '../model/kube/service.ts'
import type { Service } from '../model/kube/stored.ts'
import type { ObjectMeta } from '../model/meta.ts'
import { addressNumber, addressOf, isHostOf, parseSubnet, type Subnet } from '../model/subnet.ts'
import type { ReadTx } from '../store/index.ts'

const FIRST_NODE_PORT = 30_000
const LAST_NODE_PORT = 32_767

type Taker = Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>

/** What Services have of addresses and node ports, within one transaction: looked up once, and told of what is written. */
export class ServiceAddresses {
  readonly #text: string
  readonly #subnet: Subnet
  readonly #addresses = new Map<string, Taker>()
  /** By `port/PROTOCOL`. */
  readonly #nodePorts = new Map<string, Taker>()
  /** No address below is free. */
  #next: bigint

  /** @param serviceSubnet CIDR text */
  constructor(tx: ReadTx, serviceSubnet: string) {
    this.#text = serviceSubnet
    this.#subnet = parseSubnet(serviceSubnet)
    this.#next = this.#subnet.first + 1n
    for (const service of tx.list('Service')) this.take(service)
  }

  /** The Service has what its spec says from now on. */
  take({ metadata, spec }: Service): void {
    if (spec.clusterIP !== undefined && spec.clusterIP !== 'None') this.#addresses.set(spec.clusterIP, metadata)
    for (const port of spec.ports ?? []) if (port.nodePort) this.#nodePorts.set(keyOf(port, port.nodePort), metadata)
  }

  change(before: Service, after: Service): void {
    this.release(before)
    this.take(after)
  }

  /** What it has is free again. */
  release({ metadata, spec }: Service): void {
    const { clusterIP = 'None', ports = [] } = spec
    if (clusterIP !== 'None' && this.#addresses.delete(clusterIP)) {
      const number = addressNumber(clusterIP)
      if (number > this.#subnet.first && number < this.#next) this.#next = number
    }
    for (const port of ports) {
      const key = keyOf(port, port.nodePort ?? 0)
      if (this.#nodePorts.get(key)?.uid === metadata.uid) this.#nodePorts.delete(key)
    }
  }

  /**
   * A Service's spec with the addresses and ports that it was left to us to choose; what the object that it replaces has
   * stays. @throws {StatusError} `conflict` for what another Service has, `invalid_argument`, `resource_exhausted`
   */
  allocate(name: string, spec: ServiceSpec, before: Service | undefined): ServiceSpec {
    const clusterIP = this.#clusterIpOf(name, spec, before)
    const { ports } = spec
    const withPorts = hasNodePorts(spec)
      ? this.#nodePortsOf(name, ports ?? [], before)
      : ports?.map((port) => withoutOldNodePort(port, before))
    return { ...spec, clusterIP, clusterIPs: [clusterIP], ...(withPorts !== undefined && { ports: withPorts }) }
  }

  #clusterIpOf(name: string, { clusterIP, type }: ServiceSpec, before: Service | undefined): string {
    if (clusterIP === 'None') return clusterIP
    if (clusterIP !== undefined && clusterIP !== '') {
      const owner = this.#ownerBeside(before, this.#addresses.get(clusterIP))
      if (owner !== undefined) {
        throw new StatusError(
          'conflict',
          `Cannot give Service "${name}" the address ${clusterIP}: Service "${owner.name}" in namespace ${owner.namespace} has it`,
        )
      }
      if (isHostOf(this.#subnet, clusterIP)) return clusterIP
      throw new StatusError(
        'invalid_argument',
        `Service "${name}": "spec.clusterIP" ${clusterIP} is not an address of ${this.#text}; leave it out, and one is chosen`,
      )
    }
    const had = before?.spec.clusterIP
    if (had !== undefined && (had !== 'None' || type === 'ClusterIP')) return had
    for (; this.#next < this.#subnet.last; this.#next++) {
      const address = addressOf(this.#next, this.#subnet.family)
      if (!this.#addresses.has(address)) return address
    }
    throw new StatusError('resource_exhausted', `No address of ${this.#text} is free for Service "${name}"`)
  }

  #nodePortsOf(name: string, ports: readonly ServicePort[], before: Service | undefined): ServicePort[] {
    const takerOf = (port: ServicePort, number: number) =>
      this.#ownerBeside(before, this.#nodePorts.get(keyOf(port, number)))
    const own = new Set(ports.flatMap((port) => (port.nodePort ? [keyOf(port, port.nodePort)] : [])))
    return ports.map((port) => {
      if (port.nodePort) {
        const other = takerOf(port, port.nodePort)
        if (other === undefined) return port
        throw new StatusError(
          'conflict',
          `Cannot give Service "${name}" the node port ${port.nodePort}: Service "${other.name}" in namespace ${other.namespace} has it`,
        )
      }
      const had = before?.spec.ports?.find((old) => old.port === port.port && old.protocol === port.protocol)?.nodePort
      const isFree = (number: number) => takerOf(port, number) === undefined && !own.has(keyOf(port, number))
      const nodePort = had && isFree(had) ? had : firstFree(isFree)
      if (nodePort === undefined) {
        throw new StatusError('resource_exhausted', `No node port is free for Service "${name}"`)
      }
      own.add(keyOf(port, nodePort))
      return { ...port, nodePort }
    })
  }

  #ownerBeside(before: Service | undefined, taker: Taker | undefined): Taker | undefined {
    return taker?.uid === before?.metadata.uid ? undefined : taker
  }
}

function hasNodePorts({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

/** What was chosen for a type that needs it goes with the type (kube-apiserver's dropTypeDependentFields). */
function withoutOldNodePort(port: ServicePort, before: Service | undefined): ServicePort {
  const { nodePort, ...rest } = port
  const isOld = before?.spec.ports?.some((old) => old.nodePort === nodePort && old.port === port.port)
  return nodePort !== undefined && isOld && hasNodePorts(before!.spec) ? rest : port
}

function keyOf({ protocol = 'TCP' }: ServicePort, number: number): string {
  return `${number}/${protocol}`
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
