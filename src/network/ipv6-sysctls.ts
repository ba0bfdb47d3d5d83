/** IPv6 of a link of the calling thread's network namespace, by sysctls; to be set before the link is up. */
import { readdirSync } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import { getSysctl, hasSysctl, setSysctl } from '../linux/sysctl.ts'

const CONF = 'net/ipv6/conf'

/** Not even addresses of the link itself, which would let in what the network does not have. */
export function disableIpv6(link: string): void {
  if (hasSysctl(`${CONF}/${link}`)) setSysctl(`${CONF}/${link}/disable_ipv6`, 1)
}

/** @throws {StatusError} `failed_precondition` */
export function assertHasIpv6(): void {
  if (hasSysctl(CONF)) return
  throw new StatusError(
    'failed_precondition',
    'Cannot use IPv6: the kernel of this host has none, or it is switched off',
  )
}

/**
 * With the addresses that we give it and the link's own, at once usable. Routers that announce themselves are not
 * heard: any neighbour can.
 */
export function enableIpv6(link: string): void {
  assertHasIpv6()
  setSysctl(`${CONF}/${link}/accept_ra`, 0)
  setSysctl(`${CONF}/${link}/accept_dad`, 0)
  setSysctl(`${CONF}/${link}/disable_ipv6`, 0)
}

/**
 * Lets this host pass packets on. A host that does takes itself for a router and forgets what others have announced,
 * its own default route with it: links that listen to announcements are told to go on.
 */
export function forwardIpv6(): void {
  if (getSysctl(`${CONF}/all/forwarding`) !== '0') return
  for (const link of readdirSync(`/proc/sys/${CONF}`)) {
    if (link !== 'all' && getSysctl(`${CONF}/${link}/accept_ra`) === '1') setSysctl(`${CONF}/${link}/accept_ra`, 2)
  }
  setSysctl(`${CONF}/all/forwarding`, 1)
}
