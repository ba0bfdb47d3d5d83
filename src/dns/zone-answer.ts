import { type Query, RCODE } from './message.ts'
import { inTurn, ofType, reply } from './reply.ts'
import { reversedAddress } from './reverse-name.ts'
import { isInZone, type ZoneTable, zonePointers, zoneRecords } from './zone-table.ts'

/**
 * The answer from the cluster's zone, in which nobody else has a say; undefined for a name outside, unless an address
 * that it is the reverse of has a name in the zone.
 */
export function answerFromZone(query: Query, zone: ZoneTable, gateway: string): Buffer | undefined {
  if (isInZone(zone, query.name)) {
    const records = zoneRecords(zone, query.name, gateway)
    const answers = inTurn(ofType(query.type, records ?? []))
    if (answers.length > 0) return reply(query, RCODE.ok, answers)
    return reply(query, records === undefined ? RCODE.noSuchName : RCODE.ok, [], zone.soa)
  }
  const address = reversedAddress(query.name)
  const pointers = address === undefined ? [] : zonePointers(zone, address)
  return pointers.length === 0 ? undefined : reply(query, RCODE.ok, ofType(query.type, pointers))
}
