/**
 * Services as chains of iptables; nothing here touches the system. As kube-proxy does it:
 *
 *   nat     PREROUTING, OUTPUT   RAIND-SVCS-<br>   what a container or the host sends to the Services' subnet: one rule
 *                                                  for each clusterIp and port
 *   nat     PREROUTING, OUTPUT   RAIND-NODE-<br>   what anybody sends to an address of the host: one rule for each node
 *                                                  or host port. To 127/8 only what the host sends itself
 *   nat                          RAIND-SVC-<hash>  one Service port: chooses among its endpoints
 *   nat                          RAIND-SEP-<hash>  one endpoint of it: leads there
 *   filter  INPUT                RAIND-NOEP-<br>   refuses at once what comes to a node or host port without endpoints
 *
 * Without Services there are none of them. What comes to a clusterIp without endpoints the networks' own chains refuse,
 * as all that no Service takes.
 *
 * `<br>` is the default network's bridge. A hash is of the Service's uid, the port's name or number and the protocol, and
 * for an endpoint of where it leads: no two daemons share one, and a chain of an endpoint never changes. Which of
 * them are this daemon's is known by what its two `<br>` chains lead to: no other daemon's do.
 *
 * What has been let in by a Service passes the networks' own chains (iptables.ts), as what a published port has let in.
 */
import { REFUSE } from '../iptables.ts'
import { type Chain, jumpTarget, parseSaved, probabilityText, type SavedTable } from '../iptables-text.ts'
import { localPorts, portKey, type ServiceEndpoint, type ServiceNetwork, type ServiceRule } from './service-rule.ts'

/** The chains that have no fixed names. */
const HASHED = /^RAIND-(?:SVC|SEP)-[0-9a-f]{16}$/

const TO_THIS_HOST = '-m addrtype --dst-type LOCAL'

export interface ServiceLayout extends ServiceNetwork {
  /** Of all networks: from there a clusterIp can be reached. */
  readonly bridges: readonly string[]
}

/**
 * Renders all chains, each before those that jump to it. A Service that has not changed since the last call gets the very
 * same objects: the names of 10,000 endpoints alone take 30 ms.
 */
export function serviceRenderer(): (services: readonly ServiceRule[], layout: ServiceLayout) => Chain[] {
  let last = new Map<string, readonly Chain[]>()
  return (services, layout) => {
    const rendered = new Map<string, readonly Chain[]>()
    const sorted = services
      // Chains that nothing leads to could not be found again.
      .filter((service) => service.clusterIp !== undefined || localPorts(service).length > 0)
      .sort((a, b) => compare(titleOf(a), titleOf(b)) || compare(a.uid, b.uid))
    for (const service of sorted) {
      const endpoints = uniqueEndpoints(service)
      if (endpoints.length === 0) continue
      const key = [portKey(service), ...endpoints].join()
      rendered.set(key, last.get(key) ?? portChains(service, endpoints))
    }
    last = rendered
    return sorted.length === 0 ? [] : [...[...rendered.values()].flat(), ...layoutChains(sorted, layout)]
  }
}

/** All that is there of the daemon with this default bridge, each chain after those that jump to it. */
export function findServiceChains(saved: string, bridge: string): Chain[] {
  const tables = parseSaved(saved)
  const fixed = layoutChains([], { bridge, subnet: '', bridges: [] })
  const nat: SavedTable = tables.get('nat') ?? new Map()
  const found = new Set(fixed.filter(({ table }) => table === 'nat').map(({ name }) => name))
  // What is added on the way is visited too.
  for (const name of found) {
    for (const rule of nat.get(name) ?? []) if (HASHED.test(jumpTarget(rule))) found.add(jumpTarget(rule))
  }
  const hashed = [...found].filter((name) => HASHED.test(name)).map((name) => natChain(name, []))
  return [...fixed.filter(({ table, name }) => tables.get(table)?.has(name)), ...hashed]
}

/** Of one Service port: its endpoints, then the choice among them. */
function portChains(service: ServiceRule, endpoints: readonly string[]): Chain[] {
  const chains = endpoints.map((endpoint) => endpointChain(service, endpoint))
  const choice = chains.map(({ name }, index) => {
    const left = chains.length - index
    return left === 1
      ? `-j ${name}`
      : `-m statistic --mode random --probability ${probabilityText(1 / left)} -j ${name}`
  })
  return [...chains, natChain(portChainName(service), choice)]
}

function endpointChain(service: ServiceRule, endpoint: string): Chain {
  return natChain(`RAIND-SEP-${hashOf(`${portKey(service)}/${endpoint}`)}`, [
    `-p ${service.protocol} -j DNAT --to-destination ${endpoint}`,
  ])
}

/** What leads to Services, whichever there are. */
function layoutChains(services: readonly ServiceRule[], layout: ServiceLayout): Chain[] {
  const { yes: served = [], no: unserved = [] } = Object.groupBy(services, ({ endpoints }) =>
    endpoints.length > 0 ? 'yes' : 'no',
  )
  return [clusterChain(served, layout), nodeChain(served, layout), refusalChain(unserved, layout)]
}

/** Not for what comes from outside: there nobody else's packets are led inward. */
function clusterChain(served: readonly ServiceRule[], { bridge, subnet, bridges }: ServiceLayout): Chain {
  const rules = served.flatMap((service) =>
    service.clusterIp === undefined
      ? []
      : [`-d ${service.clusterIp}/32 ${matchOf(service, service.port)} -j ${portChainName(service)}`],
  )
  const jumps = [
    ...bridges.map((name) => ({ from: 'PREROUTING', match: `-d ${subnet} -i ${name}` })),
    { from: 'OUTPUT', match: `-d ${subnet}` },
  ]
  return { ...natChain(`RAIND-SVCS-${bridge}`, rules), jumps }
}

function nodeChain(served: readonly ServiceRule[], { bridge }: ServiceLayout): Chain {
  const rules = served.flatMap((service) =>
    localPorts(service).map((port) => `${matchOf(service, port)} -j ${portChainName(service)}`),
  )
  const jumps = [
    { from: 'PREROUTING', match: `! -d 127.0.0.0/8 ${TO_THIS_HOST}` },
    { from: 'OUTPUT', match: TO_THIS_HOST },
  ]
  return { ...natChain(`RAIND-NODE-${bridge}`, rules), jumps }
}

function refusalChain(unserved: readonly ServiceRule[], { bridge }: ServiceLayout): Chain {
  const rules = unserved.flatMap((service) =>
    localPorts(service).map((port) => `${matchOf(service, port)} ${REFUSE[service.protocol]}`),
  )
  // An answer to a program of the host may well come to a port that has the number of a Service's.
  const jumps = [{ from: 'INPUT', match: `-m conntrack --ctstate NEW ${TO_THIS_HOST}` }]
  return { family: 4, table: 'filter', name: `RAIND-NOEP-${bridge}`, jumps, rules }
}

function natChain(name: string, rules: readonly string[]): Chain {
  return { family: 4, table: 'nat', name, jumps: [], rules }
}

/** With a comment for whoever reads `iptables -t nat -L`. */
function matchOf(service: ServiceRule, port: number): string {
  const { protocol } = service
  return `-p ${protocol} -m ${protocol} --dport ${port} -m comment --comment "${titleOf(service)}"`
}

function titleOf({ namespace, name, portName }: ServiceRule): string {
  return portName === '' ? `${namespace}/${name}` : `${namespace}/${name}:${portName}`
}

/** In one order, whatever order they come in: a change of one leaves the others where they are. */
function uniqueEndpoints({ endpoints }: ServiceRule): string[] {
  return [...new Set(endpoints.map(({ address, port }: ServiceEndpoint) => `${address}:${port}`))].sort()
}

function portChainName(service: ServiceRule): string {
  return `RAIND-SVC-${hashOf(portKey(service))}`
}

/** 64 bits. Not imported: the kernel thread would load it too, which takes 10 ms. */
function hashOf(text: string): string {
  return process.getBuiltinModule('node:crypto').hash('sha256', text).slice(0, 16)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
