/**
 * DNS at each network's gateway: names of the containers on it, at all gateways the zone of a cluster, and for
 * everything else the servers of the host.
 *
 * Guarantees: answers come from a process of its own, which the daemon's end, restart or replacement does not
 * interrupt; a container gets answers only at the gateways of its own networks, about containers that it shares one
 * with; what `sync` has resolved for can be looked up.
 */
export { NameServer } from './name-server.ts'
export type { DnsEndpoint, DnsNetwork, DnsRecords } from './records.ts'
export type { DnsService, DnsServiceEndpoint, DnsServicePort, DnsZone } from './zone.ts'
