import { isWithin } from '../model/subnet.ts'
import { type Query, RCODE, TYPE } from './message.ts'
import type { NameTable } from './records.ts'
import { addressAnswer, inTurn, ofType, reply } from './reply.ts'
import { reversedAddress } from './reverse-name.ts'

/** Not to be kept: a container that is made anew has another address. */
const TTL = 0

/**
 * The answer from our own records; undefined if the name is none of ours. A client sees the names of the network that
 * it asks on, then those of the other networks that it is on itself.
 *
 * A known name without an address of the wanted family has no data, but exists: "no such name" for its AAAA makes
 * some resolvers give up on its A too (RFC 8020).
 */
export function answerLocally(
  query: Query,
  tables: ReadonlyMap<string, NameTable>,
  asked: NameTable,
  client: string,
): Buffer | undefined {
  const others = (asked.networksOf.get(client) ?? []).flatMap((network) => tables.get(network) ?? [])
  for (const table of new Set([asked, ...others])) {
    const addresses = table.addresses.get(query.name)
    if (addresses !== undefined) {
      const answers = addresses.map((data) => addressAnswer(data, TTL))
      return reply(query, RCODE.ok, inTurn(ofType(query.type, answers)))
    }
    const pointers = table.pointers.get(query.name)
    if (pointers !== undefined) {
      const answers = pointers.map((data) => ({ type: TYPE.PTR, ttl: TTL, data }))
      return reply(query, RCODE.ok, ofType(query.type, answers))
    }
    const address = reversedAddress(query.name)
    if (address !== undefined && table.subnets.some((subnet) => isWithin(subnet, address)))
      return reply(query, RCODE.noSuchName)
  }
  return undefined
}
