/** Links, addresses and routes (rtnetlink(7)). A link is named by its name, the kernel finds it. */
import { addressBytes, addressText, type Family } from '../lib/ip-address.ts'
import { NetlinkMessage, NetlinkSocket, NLM_F, readAttributes } from './netlink.ts'
import { watchNetlink } from './netlink-watch.ts'

const NETLINK_ROUTE = 0
const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
} as const
/** Groups as bits (linux/rtnetlink.h). */
const RTMGRP = { LINK: 1, IPV4_IFADDR: 0x10, IPV4_ROUTE: 0x40 } as const
const AF = { 4: 2, 6: 10 } as const
const IFF_UP = 1

const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, MASTER: 10, LINKINFO: 18, NET_NS_FD: 28 } as const
const INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const
const VETH_INFO_PEER = 1
const BR_NF_CALL_IPTABLES = 36
const BRPORT_MODE = 4
const IFA = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4 } as const
const IFA_F_NODAD = 2
const RTA = { DESTINATION: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFERRED_SOURCE: 7 } as const
const RT_TABLE_MAIN = 254
const RTPROT_BOOT = 3
const RTN_UNICAST = 1

export interface Link {
  readonly index: number
  readonly name: string
  readonly mtu: number
  /** `bridge`, `veth` ...; absent for a device of hardware. */
  readonly kind: string | undefined
  readonly up: boolean
  /** Of the bridge that it is a port of. */
  readonly masterIndex: number | undefined
  /** Of a veth: the index of its peer, in the peer's namespace. */
  readonly peerIndex: number | undefined
}

interface VethPair {
  readonly name: string
  readonly mtu: number
  /** The bridge that the host's end joins. */
  readonly masterIndex: number
  readonly peer: { readonly name: string; readonly mac: string; readonly netnsFd: number }
}

/** Belongs to the network namespace of the calling thread. */
export function openRouteSocket(): NetlinkSocket {
  return new NetlinkSocket(NETLINK_ROUTE)
}

/** A bridge, up. Its own MAC keeps it from taking that of a port, which would change with every container. */
export function createBridge(name: string, mac: string, mtu: number): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`create bridge ${name}`, RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL), true)
    .attributeText(IFLA.IFNAME, name)
    .attribute(IFLA.ADDRESS, macBytes(mac))
    .attributeU32(IFLA.MTU, mtu)
    .nested(IFLA.LINKINFO, (info) => info.attributeText(INFO.KIND, 'bridge'))
}

/** Shows what this bridge forwards to iptables, whatever net.bridge.bridge-nf-call-iptables says for the others. */
export function callIptables(bridge: string): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`set nf_call_iptables of ${bridge}`, RTM.NEWLINK, 0), false)
    .attributeText(IFLA.IFNAME, bridge)
    .nested(IFLA.LINKINFO, (info) =>
      info.attributeText(INFO.KIND, 'bridge').nested(INFO.DATA, (data) => data.attributeU8(BR_NF_CALL_IPTABLES, 1)),
    )
}

/** A veth pair: the host's end up and in its bridge, the peer in the other namespace, still down. */
export function createVeth({ name, mtu, masterIndex, peer }: VethPair): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`create veth ${name}`, RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL), true)
    .attributeText(IFLA.IFNAME, name)
    .attributeU32(IFLA.MTU, mtu)
    .attributeU32(IFLA.MASTER, masterIndex)
    .nested(IFLA.LINKINFO, (info) =>
      info
        .attributeText(INFO.KIND, 'veth')
        .nested(INFO.DATA, (data) =>
          data.nested(VETH_INFO_PEER, (end) =>
            ifinfo(end, false)
              .attributeText(IFLA.IFNAME, peer.name)
              .attribute(IFLA.ADDRESS, macBytes(peer.mac))
              .attributeU32(IFLA.MTU, mtu)
              .attributeU32(IFLA.NET_NS_FD, peer.netnsFd),
          ),
        ),
    )
}

/** Makes a link a port of a bridge, up. */
export function joinBridge(name: string, masterIndex: number): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`make ${name} a port of its bridge`, RTM.NEWLINK, 0), true)
    .attributeText(IFLA.IFNAME, name)
    .attributeU32(IFLA.MASTER, masterIndex)
}

/** Lets the bridge send a frame back through the port that it came from. */
export function enableHairpin(port: string): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`set hairpin mode of ${port}`, RTM.NEWLINK, 0), false)
    .attributeText(IFLA.IFNAME, port)
    .nested(IFLA.LINKINFO, (info) =>
      info.attributeText(INFO.SLAVE_KIND, 'bridge').nested(INFO.SLAVE_DATA, (data) => data.attributeU8(BRPORT_MODE, 1)),
    )
}

export function setLinkUp(name: string): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`set link ${name} up`, RTM.NEWLINK, 0), true).attributeText(IFLA.IFNAME, name)
}

/** Takes some 20 ms in the kernel: not for hot paths. */
export function deleteLink(name: string): NetlinkMessage {
  return ifinfo(new NetlinkMessage(`delete link ${name}`, RTM.DELLINK, 0), false).attributeText(IFLA.IFNAME, name)
}

/**
 * `address` is CIDR text. One of IPv6 may be used at once, without a second of duplicate address detection; its route
 * to the subnet comes only on a link that is up.
 */
export function addAddress(linkIndex: number, address: string): NetlinkMessage {
  const [ip, prefix] = address.split('/')
  const bytes = addressBytes(ip!)
  const isIpv6 = bytes.length === 16
  const message = new NetlinkMessage(`add address ${address}`, RTM.NEWADDR, NLM_F.CREATE | NLM_F.EXCL)
    .u8(AF[isIpv6 ? 6 : 4])
    .u8(Number(prefix))
    .u8(isIpv6 ? IFA_F_NODAD : 0)
    .u8(0)
    .u32(linkIndex)
    .attribute(IFA.LOCAL, bytes)
    .attribute(IFA.ADDRESS, bytes)
  return isIpv6 ? message : message.attribute(IFA.BROADCAST, broadcastOf(bytes, Number(prefix)))
}

/** In place of the one that is there, if any. */
export function setDefaultRoute(gateway: string): NetlinkMessage {
  const bytes = addressBytes(gateway)
  return routeHeader(
    new NetlinkMessage(`set default route via ${gateway}`, RTM.NEWROUTE, NLM_F.CREATE | NLM_F.REPLACE),
    bytes.length === 16 ? 6 : 4,
  ).attribute(RTA.GATEWAY, bytes)
}

/** A route to the subnet (CIDR text), for which this host calls itself `source`. It goes with that address. */
export function routeThrough(linkIndex: number, subnet: string, source: string): NetlinkMessage {
  const [address, prefix] = subnet.split('/')
  const bytes = addressBytes(address!)
  const message = new NetlinkMessage(`add route to ${subnet}`, RTM.NEWROUTE, NLM_F.CREATE | NLM_F.EXCL)
  return routeHeader(message, bytes.length === 16 ? 6 : 4, Number(prefix))
    .attribute(RTA.DESTINATION, bytes)
    .attributeU32(RTA.OIF, linkIndex)
    .attribute(RTA.PREFERRED_SOURCE, addressBytes(source))
}

/** @throws {SysError} ENODEV if there is no such link */
export function getLink(socket: NetlinkSocket, name: string): Link {
  return firstLink(
    socket,
    ifinfo(new NetlinkMessage(`find link ${name}`, RTM.GETLINK, 0), false).attributeText(IFLA.IFNAME, name),
  )
}

/** @throws {SysError} ENODEV if there is no such link */
export function getLinkByIndex(socket: NetlinkSocket, index: number): Link {
  return firstLink(socket, ifinfo(new NetlinkMessage('find link', RTM.GETLINK, 0), false, index))
}

export function listLinks(socket: NetlinkSocket): Link[] {
  return socket
    .query(ifinfo(new NetlinkMessage('list links', RTM.GETLINK, NLM_F.DUMP), false))
    .filter(({ type }) => type === RTM.NEWLINK)
    .map(({ payload }) => linkOf(payload))
}

interface Route {
  /** CIDR text; 0.0.0.0/0 of the default route. */
  readonly destination: string
  readonly linkIndex: number
  readonly metric: number
}

/** The IPv4 routes of the main table that lead through one link. */
export function listRoutes(socket: NetlinkSocket): readonly Route[] {
  return socket
    .query(routeHeader(new NetlinkMessage('list routes', RTM.GETROUTE, NLM_F.DUMP), 4))
    .filter(({ type, payload }) => type === RTM.NEWROUTE && payload[4] === RT_TABLE_MAIN)
    .map(({ payload }) => ({ prefix: payload[1]!, attributes: readAttributes(payload.subarray(12)) }))
    .filter(({ attributes }) => attributes.has(RTA.OIF))
    .map(({ prefix, attributes }) => ({
      destination: `${addressText(attributes.get(RTA.DESTINATION) ?? Buffer.alloc(4))}/${prefix}`,
      linkIndex: attributes.get(RTA.OIF)!.readInt32LE(),
      metric: attributes.get(RTA.PRIORITY)?.readUInt32LE() ?? 0,
    }))
}

/** The link of the IPv4 default route with the lowest metric, if there is a default route. */
export function getDefaultLink(socket: NetlinkSocket): Link | undefined {
  const routes = listRoutes(socket).filter(({ destination }) => destination.endsWith('/0'))
  const [best] = routes.toSorted((a, b) => a.metric - b.metric)
  return best && getLinkByIndex(socket, best.linkIndex)
}

/** All addresses of the namespace and the family, with the index of their link. */
export function listAddresses(
  socket: NetlinkSocket,
  family: Family,
): readonly { address: string; prefix: number; linkIndex: number }[] {
  const query = new NetlinkMessage('list addresses', RTM.GETADDR, NLM_F.DUMP).u8(AF[family]).u8(0).u8(0).u8(0).u32(0)
  return socket
    .query(query)
    .filter(({ type }) => type === RTM.NEWADDR)
    .map(({ payload }) => {
      const attributes = readAttributes(payload.subarray(8))
      const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS)!
      return { address: addressText(bytes), prefix: payload[1]!, linkIndex: payload.readUInt32LE(4) }
    })
}

/** Calls back after an IPv4 address or default route has come, changed or gone, as {@link watchNetlink} does. */
export function watchHostAddresses(onChange: () => void): Disposable {
  const matters = (type: number, payload: Buffer) => {
    if (type === RTM.NEWADDR || type === RTM.DELADDR) return true
    // Of routes only those to everywhere: the others of a router change all the time.
    return (type === RTM.NEWROUTE || type === RTM.DELROUTE) && payload[1] === 0
  }
  return watchNetlink({ protocol: NETLINK_ROUTE, groups: RTMGRP.IPV4_IFADDR | RTMGRP.IPV4_ROUTE, matters }, onChange)
}

/** Calls back after a link of such a name has gone or is down, or has lost an IPv4 address, as {@link watchNetlink} does. */
export function watchLinks(isWatched: (name: string) => boolean, onLoss: () => void): Disposable {
  const matters = (type: number, payload: Buffer) => {
    if (type === RTM.DELADDR)
      return isWatched(text(readAttributes(payload.subarray(8)).get(IFA.LABEL) ?? Buffer.alloc(0)))
    const isUp = (payload.readUInt32LE(8) & IFF_UP) !== 0
    if (type !== RTM.DELLINK && (type !== RTM.NEWLINK || isUp)) return false
    return isWatched(text(readAttributes(payload.subarray(16)).get(IFLA.IFNAME)!))
  }
  return watchNetlink({ protocol: NETLINK_ROUTE, groups: RTMGRP.LINK | RTMGRP.IPV4_IFADDR, matters }, onLoss)
}

function firstLink(socket: NetlinkSocket, query: NetlinkMessage): Link {
  return linkOf(socket.query(query)[0]!.payload)
}

function linkOf(payload: Buffer): Link {
  const attributes = readAttributes(payload.subarray(16))
  const info = attributes.get(IFLA.LINKINFO)
  const kind = info === undefined ? undefined : readAttributes(info).get(INFO.KIND)
  return {
    index: payload.readInt32LE(4),
    name: text(attributes.get(IFLA.IFNAME)!),
    mtu: attributes.get(IFLA.MTU)!.readUInt32LE(),
    kind: kind === undefined ? undefined : text(kind),
    up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    masterIndex: attributes.get(IFLA.MASTER)?.readUInt32LE(),
    peerIndex: attributes.get(IFLA.LINK)?.readUInt32LE(),
  }
}

/** struct ifinfomsg */
function ifinfo(message: NetlinkMessage, up: boolean, index = 0): NetlinkMessage {
  const flags = up ? IFF_UP : 0
  return message.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(flags)
}

/** struct rtmsg in the main table, of a default route unless there is a prefix */
function routeHeader(message: NetlinkMessage, family: Family, prefix = 0): NetlinkMessage {
  return message.u8(AF[family]).u8(prefix).u8(0).u8(0).u8(RT_TABLE_MAIN).u8(RTPROT_BOOT).u8(0).u8(RTN_UNICAST).u32(0)
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

function broadcastOf(address: Buffer, prefix: number): Buffer {
  const broadcast = Buffer.alloc(4)
  broadcast.writeUInt32BE((address.readUInt32BE() | (2 ** (32 - prefix) - 1)) >>> 0)
  return broadcast
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}
