import { execFileSync } from 'node:child_process'

/** As a router says that it is one, for the prefix (RFC 4861 4.2, 4.6.2); to all who hear it on that link. */
const ANNOUNCE = `
import socket, struct, sys
prefix = socket.inet_pton(socket.AF_INET6, sys.argv[1])
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
index = socket.if_nametoindex(sys.argv[2])
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
router = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0)
option = struct.pack('!BBBBIII', 3, 4, 64, 0xc0, 1800, 1800, 0) + prefix
s.sendto(router + option, ('ff02::1', 0, 0, index))
`

/** Announces, from the network namespace and its link, that this is a router of the /64 for everywhere. */
export function announceRouter(netns: string, link: string, prefix: string): void {
  execFileSync('nsenter', [`--net=${netns}`, 'python3', '-c', ANNOUNCE, prefix, link])
}
