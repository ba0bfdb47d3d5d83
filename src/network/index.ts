/**
 * The containers' network: bridges, network namespaces with their links and addresses, and the rules that publish
 * ports and keep everything else out.
 *
 * Guarantees: nothing of a container can be reached from outside its bridge unless it is published; only chains,
 * tables, links and files that the caller's records name are touched. It keeps no records itself: addresses and ports are
 * leased in the store, by the callers.
 */
export { defaultMac, nextAddress } from './addresses.ts'
export { createNetwork, type NetworkDriver } from './driver.ts'
export { freeHostPort, hostPortIsFree } from './host-ports.ts'
export { networkOps } from './network-ops.ts'
export type { PortRule } from './port-table.ts'
export type { ServiceEndpoint, ServiceNetwork, ServiceRule } from './services/service-rule.ts'
