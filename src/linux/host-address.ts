import { getDefaultLink, listAddresses, openRouteSocket } from './rtnetlink.ts'

/** The first IPv4 address of the link that the default route leads through; undefined without such a route. */
export function hostAddress(): string | undefined {
  using socket = openRouteSocket()
  const link = getDefaultLink(socket)
  return link && listAddresses(socket, 4).find(({ linkIndex }) => linkIndex === link.index)?.address
}
