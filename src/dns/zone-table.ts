import { addressFamily, canonicalAddress } from '../lib/ip-address.ts'
import { grouped } from './grouped.ts'
import type { Answer, ZoneRecord } from './reply.ts'
import type { DnsService, DnsZone } from './zone.ts'
import {
  addressRecord,
  fixedRecords,
  NAME_SERVER,
  pointerRecords,
  type ServiceRecords,
  serviceRecords,
  soaRecord,
} from './zone-records.ts'

/**
 * A cluster's zone, ready for lookups. What takes time is made when it is first asked for: there is a new table at each
 * change, and little of one is ever looked at.
 */
export interface ZoneTable {
  /** In lower case, as all names here. */
  readonly domain: string
  readonly soa: ZoneRecord
  /** By the name below the domain. */
  readonly fixed: ReadonlyMap<string, readonly Answer[]>
  /** Those that have a Service. */
  readonly namespaces: ReadonlySet<string>
  /** By `service.namespace`. */
  readonly services: ReadonlyMap<string, () => ServiceRecords>
  /** Addresses, by namespace. */
  readonly pods: ReadonlyMap<string, () => ReadonlySet<string>>
  /** Names, by address. */
  readonly pointers: () => ReadonlyMap<string, readonly string[]>
}

/** @throws if this is no zone */
export function zoneTable(zone: DnsZone): ZoneTable {
  const domain = zone.domain.toLowerCase()
  const soa = soaRecord(domain)
  const services = [...Map.groupBy(zone.services, ({ name, namespace }) => `${name}.${namespace}`.toLowerCase())].map(
    ([key, parts]) => ({ key, parts, suffix: `${key}.svc.${domain}` }),
  )
  const pods = Object.entries(zone.pods)
  return {
    domain,
    soa,
    fixed: fixedRecords(domain, soa),
    namespaces: new Set(zone.services.map(({ namespace }) => namespace.toLowerCase())),
    services: new Map(services.map(({ key, parts, suffix }) => [key, once(() => serviceRecords(parts, suffix))])),
    pods: new Map(
      pods.map(([namespace, addresses]) => [namespace.toLowerCase(), once(() => new Set(addresses.map(canonical)))]),
    ),
    pointers: once(() => grouped(services, ({ parts, suffix }) => parts.flatMap((part) => pointers(part, suffix)))),
  }
}

/** Of a name in lower case. */
export function isInZone({ domain }: ZoneTable, name: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}

/**
 * All that a name in the zone has, which is nothing if only names below it have; undefined if there is no such name.
 * @param gateway where it is asked for, which is where the zone's server is for who asks
 */
export function zoneRecords(zone: ZoneTable, name: string, gateway: string): readonly Answer[] | undefined {
  const relative = name.slice(0, -zone.domain.length - 1)
  if (relative === NAME_SERVER) return [addressRecord(gateway)]
  const fixed = zone.fixed.get(relative)
  if (fixed !== undefined) return fixed
  const [kind, namespace = '', own, ...below] = relative.split('.').reverse()
  if (kind === 'svc') {
    if (own === undefined) return zone.namespaces.has(namespace) ? [] : undefined
    return zone.services.get(`${own}.${namespace}`)?.().get(below.reverse().join('.'))
  }
  const pods = kind === 'pod' ? zone.pods.get(namespace) : undefined
  if (own === undefined) return pods && []
  const address = below.length === 0 ? dashedAddress(own) : undefined
  return address !== undefined && pods?.().has(address) ? [addressRecord(address)] : undefined
}

/** What an address is called, which is nothing if it is none of the zone's. */
export function zonePointers(zone: ZoneTable, address: string): Answer[] {
  return [...new Set(zone.pointers().get(address))].flatMap(pointerRecords)
}

/** Addresses that have a name, with it: those of a Service, and of endpoints with a hostname. */
function pointers(service: DnsService, suffix: string): (readonly [string, string])[] {
  if ('clusterIps' in service) return service.clusterIps.map((address) => [canonical(address), suffix])
  return service.endpoints.flatMap(({ address, hostname }) =>
    hostname === undefined ? [] : [[canonical(address), `${hostname}.${suffix}`.toLowerCase()] as const],
  )
}

/** `10-0-0-1`, `fd00--1`: the address that a pod's name is made of. */
function dashedAddress(label: string): string | undefined {
  const address = label.replaceAll('-', /^\d+-\d+-\d+-\d+$/.test(label) ? '.' : ':')
  return addressFamily(address) === undefined ? undefined : canonicalAddress(address)
}

function canonical(address: string): string {
  return address.includes(':') ? canonicalAddress(address) : address
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
