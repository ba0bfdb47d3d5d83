/** The records of Kubernetes' DNS specification, version 1.1.0. */
import { addressBytes } from '../lib/ip-address.ts'
import { encodedName, encodeName, TYPE } from './message.ts'
import { type Answer, addressAnswer, type ZoneRecord } from './reply.ts'
import type { DnsService, DnsServicePort } from './zone.ts'

/** By what stands before the Service's name: nothing, the name of an endpoint, `_http._tcp`, `_tcp`. */
export type ServiceRecords = ReadonlyMap<string, readonly Answer[]>

/** Below the zone: what its NS record says. */
export const NAME_SERVER = 'ns.dns'
/**
 * Seconds; CoreDNS has the same. Whoever keeps an answer, also that there is none, is behind by no more than that.
 * 0 would be fresher, but a program that looks a name up at each connection would ask each time.
 */
const TTL = 5
/** Serial, refresh, retry and expire: for secondary servers, of which there are none. */
const SOA_NUMBERS = [1, 7200, 1800, 86_400]

/** @throws {RangeError} if the domain is no name */
export function soaRecord(domain: string): ZoneRecord {
  const numbers = Buffer.alloc(20)
  for (const [index, value] of [...SOA_NUMBERS, TTL].entries()) numbers.writeUInt32BE(value, 4 * index)
  const names = [`${NAME_SERVER}.${domain}`, `hostmaster.${domain}`].map(encodeName)
  return { owner: encodeName(domain), type: TYPE.SOA, ttl: TTL, data: Buffer.concat([...names, numbers]) }
}

/** What each zone has, by the name below it. */
export function fixedRecords(domain: string, soa: ZoneRecord): Map<string, readonly Answer[]> {
  const version = Buffer.from('1.1.0')
  return new Map<string, readonly Answer[]>([
    ['', [soa, { type: TYPE.NS, ttl: TTL, data: encodeName(`${NAME_SERVER}.${domain}`) }]],
    ['dns-version', [{ type: TYPE.TXT, ttl: TTL, data: Buffer.from([version.length, ...version]) }]],
    // Only names below these have something.
    ...['dns', 'pod', 'svc'].map((name) => [name, []] as const),
  ])
}

export function addressRecord(address: string): Answer {
  return addressAnswer(addressBytes(address), TTL)
}

/** None for what DNS cannot hold. */
export function pointerRecords(name: string): Answer[] {
  return encodedName(name).map((data) => ({ type: TYPE.PTR, ttl: TTL, data }))
}

/** @param suffix the Service's own name */
export function serviceRecords(parts: readonly DnsService[], suffix: string): ServiceRecords {
  // By type and data: what is told twice is one record (RFC 2181 5).
  const sets = new Map<string, Map<string, Answer>>()
  const add = (name: string, answers: readonly Answer[]) => {
    const set = sets.get(name) ?? new Map<string, Answer>()
    sets.set(name, set)
    for (const answer of answers) set.set(`${answer.type} ${answer.data.toString('latin1')}`, answer)
  }
  for (const part of parts) {
    for (const { address, host } of targets(part)) {
      add('', [addressRecord(address)])
      if (host !== '') add(host, [addressRecord(address)])
      for (const port of part.ports) {
        const protocol = `_${port.protocol.toLowerCase()}`
        add(protocol, [])
        add(`_${port.name.toLowerCase()}.${protocol}`, srvRecords(port, host === '' ? suffix : `${host}.${suffix}`))
      }
    }
  }
  return new Map([...sets].map(([name, set]) => [name, [...set.values()]]))
}

/** Each address with what it is called below the Service's name; a ClusterIP is called by that name itself. */
function targets(service: DnsService): { readonly address: string; readonly host: string }[] {
  if ('clusterIps' in service) return service.clusterIps.map((address) => ({ address, host: '' }))
  return service.endpoints.map(({ address, hostname = address.replaceAll(/[.:]/g, '-') }) => ({
    address,
    host: hostname.toLowerCase(),
  }))
}

/** All are equal: of the same priority, and with the same share (RFC 2782). */
function srvRecords({ port }: DnsServicePort, target: string): Answer[] {
  const [priority, share] = [0, 1]
  return encodedName(target).map((name) => {
    const data = Buffer.concat([Buffer.alloc(6), name])
    for (const [index, value] of [priority, share, port].entries()) data.writeUInt16BE(value, 2 * index)
    return { type: TYPE.SRV, ttl: TTL, data }
  })
}
