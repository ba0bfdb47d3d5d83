/** What the kernel thread does for the firewall: synchronous, a few system calls each. */
import { messageOf, StatusError, systemCode } from '../lib/errors.ts'
import type { Family } from '../lib/ip-address.ts'
import type { NetlinkMessage, NetlinkSocket } from '../linux/netlink.ts'
import {
  addElements,
  commit,
  deleteElements,
  listElements,
  listRules,
  type MapElement,
  openNetfilterSocket,
  readGeneration,
} from '../linux/nftables.ts'
import type { Chain } from './iptables-text.ts'
import { addPorts, buildTable, expectedTable, type PortRule, removePorts, removeTable } from './port-table.ts'

export interface ChangePortsInput {
  /** What the last change returned. */
  readonly generation: number
  readonly removed: readonly PortRule[]
  readonly added: readonly PortRule[]
}

export interface ReplacePortsInput {
  readonly tables: readonly (PortTable & { readonly ports: readonly PortRule[] })[]
  readonly retired: readonly PortTable[]
}

interface PortTable {
  readonly bridge: string
  readonly family: Family
}

const ATTEMPTS = 20

/**
 * Changes the tables, all at once. @returns the generation that this made; undefined if anybody has changed anything in
 * nf_tables since the given one: then nothing is known about what is there
 */
export function changePorts({ generation, removed, added }: ChangePortsInput): number | undefined {
  try {
    using socket = openNetfilterSocket()
    return commit(socket, [...removePorts(removed), ...addPorts(added)], generation)
  } catch (error) {
    if (['ERESTART', 'ENOENT', 'EEXIST'].includes(systemCode(error) ?? '')) return undefined
    throw cannotPublish(error)
  }
}

/**
 * Makes the tables of these bridges what they should be, whatever is there, and removes those of the retired ones, all at
 * once. A port that stays is not touched: were its table made anew, a packet that is just between the two could meet neither.
 * @returns the generation that this made
 */
export function replacePorts({ tables, retired }: ReplacePortsInput): number {
  try {
    using socket = openNetfilterSocket()
    return commitNow(socket, () => [
      ...tables.flatMap((table) => alignTable(socket, table)),
      ...retired.flatMap(({ bridge, family }) => removeTable(bridge, family)),
    ])
  } catch (error) {
    throw cannotPublish(error)
  }
}

function alignTable(
  socket: NetlinkSocket,
  { bridge, family, ports }: ReplacePortsInput['tables'][number],
): NetlinkMessage[] {
  const { table, maps } = expectedTable(bridge, family, ports)
  if (!hasOurRules(socket, bridge, family)) return buildTable(bridge, family, ports)
  return Object.entries(maps).flatMap(([map, wanted]) => {
    const found = listElements(socket, table, map)
    const [there, needed] = [
      new Set(found.map(elementText)),
      new Set(wanted.map(({ element }) => elementText(element))),
    ]
    return [
      ...deleteElements(
        table,
        map,
        found.filter((it) => !needed.has(elementText(it))).map(({ key }) => key),
      ),
      ...addElements(
        table,
        map,
        wanted.map(({ element }) => element).filter((it) => !there.has(elementText(it))),
      ),
    ]
  })
}

/** Whether a bridge's table has the rules of this version and no others. */
export function hasOurRules(socket: NetlinkSocket, bridge: string, family: Family): boolean {
  const { table, rules, comment } = expectedTable(bridge, family, [])
  return Object.entries(rules).every(([chain, count]) => {
    const found = listRules(socket, table, chain)
    return found.length === count && found.every(({ bytes }) => bytes.includes(comment))
  })
}

/** To compare elements by. */
export function elementText({ key, data }: MapElement): string {
  return `${Buffer.from(key).toString('hex')} ${Buffer.from(data).toString('hex')}`
}

/** Asks for all that a table of IPv6 ports takes, and takes it back in the same change. @throws as `replacePorts` */
export function tryIpv6Table(bridge: string): void {
  try {
    using socket = openNetfilterSocket()
    commitNow(socket, () => [...buildTable(bridge, 6, []), ...removeTable(bridge, 6)])
  } catch (error) {
    throw cannotPublish(error)
  }
}

/** The rules of these chains and the jumps to them, so that it can be told whether they are still the same ones. */
export function ruleHandles(chains: readonly Chain[]): string[] {
  using socket = openNetfilterSocket()
  return chains.flatMap(({ family, table: tableName, name, jumps }) => {
    const table = { family, name: tableName }
    const rules = [
      ...listRules(socket, table, name),
      ...jumps.flatMap(({ from }) => listRules(socket, table, from).filter(({ bytes }) => bytes.includes(`${name}\0`))),
    ]
    return rules.map(({ handle }) => `${family} ${tableName} ${handle}`)
  })
}

/** Between the question for the generation and the change, another program may have made the next one. */
function commitNow(socket: NetlinkSocket, plan: () => readonly NetlinkMessage[]): number {
  for (let attempt = 1; ; attempt++) {
    const generation = readGeneration(socket)
    const messages = plan()
    if (messages.length === 0) return generation
    try {
      return commit(socket, messages, generation)
    } catch (error) {
      if (systemCode(error) !== 'ERESTART' || attempt === ATTEMPTS) throw error
    }
  }
}

function cannotPublish(error: unknown): StatusError {
  // Without nfnetlink, without nf_tables, without nat chains, without an expression.
  if (['EPROTONOSUPPORT', 'EINVAL', 'EOPNOTSUPP', 'ENOENT'].includes(systemCode(error) ?? '')) {
    return new StatusError(
      'failed_precondition',
      `Cannot publish ports: this kernel lacks nf_tables or a part of it (${messageOf(error)}); it takes one with ` +
        'CONFIG_NF_TABLES_IPV4, CONFIG_NFT_NAT and CONFIG_NFT_FIB_IPV4, or the modules nf_tables, nft_chain_nat, ' +
        'nft_nat and nft_fib_ipv4; IPv6 takes the same with IPV6',
    )
  }
  return new StatusError('internal', `Cannot publish ports: ${messageOf(error)}`)
}
