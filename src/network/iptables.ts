/**
 * The firewall of our bridges as text for iptables-restore and ip6tables-restore; nothing here touches the system.
 *
 * Each bridge has chains of its own, named after it, so that daemons with different bridges live side by side:
 *
 *   raw     PREROUTING   RAIND-RAW-<br>   nothing from a container may claim to be, or reach, the host's 127/8
 *   mangle  FORWARD      RAIND-IN-<br>    what comes to a container from outside its bridge is dropped unless it
 *                                         was let in by a published port or answers the container; in this table
 *                                         because no ACCEPT of the filter table, ours or not, can then undo it
 *   filter  FORWARD      RAIND-FWD-<br>   lets the rest through where the policy is DROP
 *   mangle  INPUT        RAIND-DNS-<br>  at the gateway only the bridge's own containers, and this host, ask for names
 *   filter  INPUT        RAIND-ASK-<br>  lets them where the policy is DROP
 *   nat     POSTROUTING  RAIND-SNAT-<br>  masquerade: towards other links, from the host's 127/8, and back to the
 *                                         same bridge through a published port
 *
 * A network with IPv6 has the same in ip6tables, less the two for names: nobody answers at that gateway.
 *
 * Published ports, which change with every start, are elsewhere: in tables of nf_tables (port-table.ts).
 *
 * Jumps are spelled as iptables-save prints them, so that text can be compared.
 */
import type { Family } from '../lib/ip-address.ts'
import type { AddressRange, NetworkSpec } from '../model/network.ts'
import { canonicalSubnet } from './addresses.ts'

const TABLES = ['raw', 'mangle', 'filter', 'nat'] as const
type Table = (typeof TABLES)[number]

export interface Chain {
  readonly family: Family
  readonly table: Table
  readonly name: string
  /** Rules of built-in chains that lead here; without `-j`. */
  readonly jumps: readonly { readonly from: string; readonly match: string }[]
  readonly rules: readonly string[]
}

const LOOPBACK = { 4: '127.0.0.0/8', 6: '::1/128' } as const

/** All chains of a bridge. */
export function bridgeChains({ bridge, subnet, gateway, ipv6 }: NetworkSpec): readonly Chain[] {
  return [
    ...trafficChains(bridge, 4, { subnet, gateway }),
    ...nameChains(bridge, gateway),
    ...(ipv6 === undefined ? [] : trafficChains(bridge, 6, ipv6)),
  ]
}

function trafficChains(bridge: string, family: Family, { subnet }: AddressRange): Chain[] {
  const inside = canonicalSubnet(subnet)
  const loopback = LOOPBACK[family]
  return [
    {
      family,
      table: 'raw',
      name: `RAIND-RAW-${bridge}`,
      jumps: [{ from: 'PREROUTING', match: `-i ${bridge}` }],
      rules: [`-d ${loopback} -j DROP`, `-s ${loopback} -j DROP`],
    },
    {
      family,
      table: 'mangle',
      name: `RAIND-IN-${bridge}`,
      jumps: [{ from: 'FORWARD', match: `-o ${bridge}` }],
      rules: [`! -i ${bridge} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`],
    },
    {
      family,
      table: 'filter',
      name: `RAIND-FWD-${bridge}`,
      jumps: [{ from: 'FORWARD', match: '' }],
      rules: [`-i ${bridge} -j ACCEPT`, `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`],
    },
    {
      family,
      table: 'nat',
      name: `RAIND-SNAT-${bridge}`,
      jumps: [{ from: 'POSTROUTING', match: '' }],
      rules: [
        `-s ${inside} ! -o ${bridge} -j MASQUERADE`,
        ...(family === 4 ? [`-s ${loopback} -o ${bridge} -j MASQUERADE`] : []),
        `-s ${inside} -o ${bridge} -m conntrack --ctstate DNAT -j MASQUERADE`,
      ],
    },
  ]
}

function nameChains(bridge: string, gateway: string): Chain[] {
  const dns = ['-p udp -m udp --dport 53', '-p tcp -m tcp --dport 53']
  return [
    {
      family: 4,
      table: 'mangle',
      name: `RAIND-DNS-${bridge}`,
      jumps: [{ from: 'INPUT', match: `-d ${gateway}/32 ! -i ${bridge}` }],
      rules: ['-i lo -j RETURN', ...dns.map((match) => `${match} -j DROP`)],
    },
    {
      family: 4,
      table: 'filter',
      name: `RAIND-ASK-${bridge}`,
      jumps: [{ from: 'INPUT', match: `-d ${gateway}/32 -i ${bridge}` }],
      rules: dns.map((match) => `${match} -j ACCEPT`),
    },
  ]
}

/**
 * Makes the chains of one family and their jumps from whatever is there, of which `saved` is iptables-save's text: chains
 * that differ are filled anew, missing jumps go to the heads of the built-in chains, other jumps to our chains go away.
 * The `retired` chains go altogether. Empty if all is as it should be.
 */
export function renderRebuild(wanted: readonly Chain[], retired: readonly Chain[], saved: string): string {
  const present = parseSaved(saved)
  return renderTables((table) => {
    const there = present.get(table) ?? { chains: new Set(), rules: [] }
    const ours = wanted.filter((chain) => chain.table === table)
    const old = retired.filter((chain) => chain.table === table && there.chains.has(chain.name))
    const jumps = ours.flatMap(jumpLines)
    const names = new Set([...ours, ...old].map(({ name }) => name))
    const existing = there.rules.filter((rule) => names.has(jumpTarget(rule)))
    const changed = ours.filter((chain) => !isFilled(chain, there))
    return [
      ...[...changed, ...old].map(({ name }) => `:${name} - [0:0]`),
      ...changed.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
      ...existing.filter((rule) => !jumps.includes(rule)).map((rule) => `-D ${rule}`),
      ...jumps.filter((jump) => !existing.includes(jump)).map((jump) => `-I ${jump.replace(' ', ' 1 ')}`),
      ...old.map(({ name }) => `-X ${name}`),
    ]
  })
}

function isFilled({ name, rules }: Chain, there: SavedTable): boolean {
  const filled = there.rules.filter((rule) => rule.startsWith(`${name} `)).map((rule) => rule.slice(name.length + 1))
  return there.chains.has(name) && filled.join('\n') === rules.join('\n')
}

/** As iptables-save prints them, after `-A `. */
function jumpLines({ name, jumps }: Chain): string[] {
  return jumps.map(({ from, match }) => [from, match, `-j ${name}`].filter((part) => part !== '').join(' '))
}

function renderTables(linesOf: (table: Table) => readonly string[]): string {
  return TABLES.map((table) => ({ table, lines: linesOf(table) }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ table, lines }) => `*${table}\n${lines.join('\n')}\nCOMMIT\n`)
    .join('')
}

interface SavedTable {
  readonly chains: Set<string>
  /** Without the leading `-A `. */
  readonly rules: string[]
}

function parseSaved(saved: string): Map<string, SavedTable> {
  const tables = new Map<string, SavedTable>()
  let table: SavedTable = { chains: new Set(), rules: [] }
  for (const text of saved.split('\n')) {
    if (text.startsWith('*')) {
      table = { chains: new Set(), rules: [] }
      tables.set(text.slice(1), table)
    } else if (text.startsWith(':')) {
      table.chains.add(text.slice(1).split(' ')[0]!)
    } else if (text.startsWith('-A ')) {
      table.rules.push(text.slice(3).trimEnd())
    }
  }
  return tables
}

function jumpTarget(rule: string): string {
  return / -[jg] (\S+)/.exec(rule)?.[1] ?? ''
}
