import { StatusError } from '../../lib/errors.ts'
import { addressFamily } from '../../lib/ip-address.ts'
import type { Protocol } from '../../model/network.ts'
import { isWithin, parseSubnet } from '../../model/subnet.ts'

/** One port of a Service, and where its connections go: each endpoint gets the same share of them. */
export interface ServiceRule {
  /** Of the Service. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Empty: it is the only port of its Service and has none. */
  readonly portName: string
  readonly protocol: Protocol
  /** In the Services' subnet; absent: it has none. */
  readonly clusterIp?: string
  /** At the clusterIp. */
  readonly port: number
  /** At every address of the host. */
  readonly nodePort?: number
  /** The same, of a Service that answers on the host at its own port. */
  readonly hostPort?: number
  /** Without any, who connects is refused. */
  readonly endpoints: readonly ServiceEndpoint[]
}

export interface ServiceEndpoint {
  readonly address: string
  readonly port: number
}

/** What all Services of a daemon have in common. */
export interface ServiceNetwork {
  /** The default network's bridge: the chains are named after it, so that two daemons live side by side. */
  readonly bridge: string
  /** CIDR text. What is sent there never leaves the host. */
  readonly subnet: string
}

/** What tells a Service port from all others, for as long as its Service lives. */
export function portKey({ uid, portName, port, protocol }: ServiceRule): string {
  return `${uid}/${portName === '' ? port : portName}/${protocol}`
}

/** The ports of every address of the host that lead to it. */
export function localPorts({ nodePort, hostPort }: ServiceRule): number[] {
  return [...new Set([nodePort, hostPort])].filter((port) => port !== undefined)
}

/** Text goes into rules. @throws {StatusError} `invalid_argument` */
export function assertServiceRules(rules: readonly ServiceRule[], { subnet }: ServiceNetwork): void {
  const range = parseSubnet(subnet)
  const keys = new Set<string>()
  for (const rule of rules) {
    const { namespace, name, portName, protocol, clusterIp, port, endpoints } = rule
    const invalid = (problem: string) =>
      new StatusError('invalid_argument', `Invalid rule of the Service "${namespace}/${name}": ${problem}`)
    if (![namespace, name, `x${portName}`].every(isName)) throw invalid('it has a name that is none')
    if (protocol !== 'tcp' && protocol !== 'udp') throw invalid(`its protocol is "${protocol}"`)
    if (clusterIp !== undefined && (addressFamily(clusterIp) !== 4 || !isWithin(range, clusterIp))) {
      throw invalid(`its clusterIp ${clusterIp} is not in ${subnet}`)
    }
    if (![port, ...localPorts(rule)].every(isPort)) throw invalid('a port is none')
    if (keys.size === keys.add(portKey(rule)).size)
      throw invalid(`its port ${portName || port}/${protocol} is there twice`)
    const bad = endpoints.find(({ address, port }) => addressFamily(address) !== 4 || !isPort(port))
    if (bad !== undefined) throw invalid(`${bad.address}:${bad.port} cannot be an endpoint: want IPv4 and a port`)
  }
}

/** A DNS label: all three together fit into the comment of a rule. */
function isName(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,63}$/i.test(text)
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536
}
