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
 * Where there can be Services, what is sent to their subnet and no Service takes is refused: by one more chain of the
 * default network, RAIND-NOSVC-<br> in FORWARD and OUTPUT, and in RAIND-FWD before anything is let through. Who reaches
 * a neighbour through a Service keeps its address; who reaches itself does not, since no host takes packets from outside
 * that have its own address.
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
import type { Chain } from './iptables-text.ts'

/** What the rules of a bridge must know of Services, of which services/service-chains.ts has the rest. */
export interface BridgeServices {
  /** The default network's. */
  readonly bridge: string
  /** CIDR text of their addresses, canonical. */
  readonly subnet: string
  /**
   * Whether who reaches a neighbour through a Service is seen as itself. Not where answers within the bridge do not meet
   * iptables (no br_netfilter): the client would see an answer of somebody it has not asked, so it has to go by the gateway.
   */
  readonly keepsClients: boolean
}

/**
 * Matches what goes from one address to another one. No other match compares two fields, so it is a program of classic
 * BPF over the IPv4 header: load the source, keep it, load the destination, return 0 if they are equal and else 1.
 */
const NOT_TO_ITSELF = '-m bpf --bytecode "6,32 0 0 12,7 0 0 0,32 0 0 16,29 0 1 0,6 0 0 0,6 0 0 1"'

/**
 * Refuses at once: a program of this host that connects by TCP would hear of an ICMP message only when it tries again,
 * a second later.
 */
export const REFUSE = {
  tcp: '-j REJECT --reject-with tcp-reset',
  udp: '-j REJECT --reject-with icmp-port-unreachable',
} as const

/** Of any protocol. */
function refuseAll(match: string): string[] {
  return [`${match} -p tcp ${REFUSE.tcp}`, `${match} ${REFUSE.udp}`]
}

const LOOPBACK = { 4: '127.0.0.0/8', 6: '::1/128' } as const

/** All chains of a bridge. */
export function bridgeChains(
  { bridge, subnet, gateway, ipv6 }: NetworkSpec,
  services?: BridgeServices,
): readonly Chain[] {
  return [
    ...trafficChains(bridge, 4, { subnet, gateway }, services),
    ...nameChains(bridge, gateway),
    ...(bridge === services?.bridge ? [noServiceChain(services)] : []),
    ...(ipv6 === undefined ? [] : trafficChains(bridge, 6, ipv6)),
  ]
}

function trafficChains(bridge: string, family: Family, { subnet }: AddressRange, services?: BridgeServices): Chain[] {
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
      rules: [
        ...(services === undefined ? [] : refuseAll(`-d ${services.subnet} -i ${bridge}`)),
        `-i ${bridge} -j ACCEPT`,
        `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
      ],
    },
    {
      family,
      table: 'nat',
      name: `RAIND-SNAT-${bridge}`,
      // What this host sends itself, from its address in the network, keeps that.
      jumps: [{ from: 'POSTROUTING', match: '! -o lo' }],
      rules: [
        `-s ${inside} ! -o ${bridge} -j MASQUERADE`,
        ...(family === 4 ? [`-s ${loopback} -o ${bridge} -j MASQUERADE`] : []),
        ...(services?.keepsClients
          ? [`-s ${inside} -o ${bridge} -m conntrack --ctorigdst ${services.subnet} ${NOT_TO_ITSELF} -j RETURN`]
          : []),
        `-s ${inside} -o ${bridge} -m conntrack --ctstate DNAT -j MASQUERADE`,
      ],
    },
  ]
}

/** Once for all networks, and for what is not from any. */
function noServiceChain({ bridge, subnet }: BridgeServices): Chain {
  const jumps = ['FORWARD', 'OUTPUT'].map((from) => ({ from, match: `-d ${subnet}` }))
  return { family: 4, table: 'filter', name: `RAIND-NOSVC-${bridge}`, jumps, rules: refuseAll(`-d ${subnet}`) }
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
