/** What the kernel thread does for Services: synchronous, a few system calls each. */
import { systemCode } from '../../lib/errors.ts'
import { listChains, openNetfilterSocket, readGeneration } from '../../linux/nftables.ts'
import { getLink, openRouteSocket, routeThrough } from '../../linux/rtnetlink.ts'
import { type Chain, chainKey } from '../iptables-text.ts'

/** Counts up with every change of any rule of nf_tables. */
export function rulesGeneration(): number {
  using socket = openNetfilterSocket()
  return readGeneration(socket)
}

/** By key of each chain of these tables: how many rules it has, and how many lead to it. Of iptables-nft only. */
export function chainUses(tables: readonly Chain['table'][]): ReadonlyMap<string, number> {
  using socket = openNetfilterSocket()
  return new Map(
    tables.flatMap((table) =>
      listChains(socket, { family: 4, name: table }).map(({ name, use }) => [chainKey({ table, name }), use] as const),
    ),
  )
}

/**
 * Sends what the host itself has for the Services' subnet nowhere, with an address that containers can answer: rules
 * lead it on, or refuse it. Goes with that address. A route that is there already stays.
 */
export function routeServices({ subnet, source }: { readonly subnet: string; readonly source: string }): void {
  using socket = openRouteSocket()
  try {
    socket.request(routeThrough(getLink(socket, 'lo').index, subnet, source))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}
