/** What the kernel thread does for the network: synchronous, a few system calls each. */
import { closeSync, openSync } from 'node:fs'
import { StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { addressFamily } from '../lib/ip-address.ts'
import { forgetUdpFlows } from '../linux/conntrack.ts'
import { loadModule } from '../linux/module.ts'
import type { NetlinkSocket } from '../linux/netlink.ts'
import { bindNetns, createNetns, inNetns, removeNetns } from '../linux/netns.ts'
import * as route from '../linux/rtnetlink.ts'
import { hasSysctl, setSysctl } from '../linux/sysctl.ts'
import type { AddressRange, NetworkSpec } from '../model/network.ts'
import { defaultMac, inSubnet } from './addresses.ts'
import { disableIpv6, enableIpv6, forwardIpv6 } from './ipv6-sysctls.ts'
import { familyOf, isOnAllAddresses, type PortRule } from './port-table.ts'

const DEFAULT_MTU = 1500
/** What {@link plugIn} calls the host's end of a pair. */
export const OWN_PORT = /^rd[0-9a-f]{12}$/

export interface SandboxLink {
  readonly bridge: string
  /** The link's name inside. */
  readonly name: string
  readonly mac: string
  /** CIDR text. Without one of IPv6 the link has no IPv6 at all. */
  readonly addresses: readonly string[]
  /** Of the default routes that lead through this link, one a family. */
  readonly gateways: readonly string[]
}

export interface SetUpInput {
  readonly netnsPath: string
  readonly links: readonly SandboxLink[]
}

/** Loads br_netfilter if it is not there; without it frames within a bridge do not meet iptables. */
export function loadBridgeNetfilter(): boolean {
  if (hasSysctl('net/bridge')) return true
  if (!loadModule('br_netfilter') || !hasSysctl('net/bridge')) return false
  // It comes with these on, for every bridge of the host; ours ask for iptables themselves.
  for (const family of ['arp', 'ip', 'ip6']) setSysctl(`net/bridge/bridge-nf-call-${family}tables`, 0)
  return true
}

/** Brings a bridge into the wanted state, whatever was there before. */
export function ensureBridge({ bridge, subnet, gateway, ipv6, mtu }: NetworkSpec): void {
  using socket = route.openRouteSocket()
  failpoint('network.bridge-link')
  const link = findLink(socket, bridge) ?? createBridge(socket, bridge, gateway, mtu)
  if (link.kind !== 'bridge') {
    throw new StatusError('failed_precondition', `Cannot use the link "${bridge}" of this host as bridge: it is none`)
  }
  socket.request(route.callIptables(bridge), route.setLinkUp(bridge))
  ensureGateway(socket, link, { subnet, gateway })
  setSysctl(`net/ipv4/conf/${bridge}/route_localnet`, 1)
  setSysctl('net/ipv4/ip_forward', 1)
  if (ipv6 === undefined) disableIpv6(bridge)
  else {
    enableIpv6(bridge)
    ensureGateway(socket, link, ipv6)
    forwardIpv6()
  }
}

export function removeBridge({ bridge }: NetworkSpec): void {
  using socket = route.openRouteSocket()
  failpoint('network.remove-bridge')
  const link = findLink(socket, bridge)
  if (link?.kind === 'bridge') socket.request(route.deleteLink(bridge))
}

/** Makes the namespace and its links; returns the names of the host's ends. Nothing is left if it fails. */
export function setUp({ netnsPath, links }: SetUpInput): { hostLinks: string[] } {
  failpoint('network.netns')
  makeNetns(netnsPath)
  try {
    using host = route.openRouteSocket()
    failpoint('network.veth')
    const hostLinks = links.map((link) => plugIn(host, netnsPath, link))
    using inside = inNetns(netnsPath, () => {
      links.forEach(switchIpv6)
      return route.openRouteSocket()
    })
    configure(inside, links)
    return { hostLinks }
  } catch (error) {
    removeNetns(netnsPath)
    throw error
  }
}

/**
 * Makes the links of a namespace in use what they should be: what is missing or was left without an address comes
 * anew, what is too many goes, the host's end of the others becomes a port of its bridge again. Idempotent.
 */
export function syncLinks({ netnsPath, links }: SetUpInput): void {
  using host = route.openRouteSocket()
  using inside = inNetns(netnsPath, route.openRouteSocket)
  const configured = new Set(route.listAddresses(inside, 4).map(({ linkIndex }) => linkIndex))
  const [ready, unready] = partition(
    route.listLinks(inside).filter(({ kind }) => kind === 'veth'),
    ({ index, name }) => configured.has(index) && links.some((link) => link.name === name),
  )
  failpoint('network.unplug')
  for (const { name } of unready) inside.request(route.deleteLink(name))
  const missing = links.filter(({ name }) => !ready.some((link) => link.name === name))
  failpoint('network.plug')
  for (const link of missing) plugIn(host, netnsPath, link)
  inNetns(netnsPath, () => missing.forEach(switchIpv6))
  configure(inside, missing)
  for (const gateway of links.flatMap(({ gateways }) => gateways)) inside.request(route.setDefaultRoute(gateway))
  joinBridges(host, ready, links)
}

/** Where a bridge was deleted and made anew, its ports are without one. */
function joinBridges(host: NetlinkSocket, ready: readonly route.Link[], links: readonly SandboxLink[]): void {
  for (const { peerIndex, name } of ready) {
    const hostEnd = findLink(host, peerIndex)
    const bridge = findLink(host, links.find((wanted) => wanted.name === name)?.bridge)
    if (hostEnd === undefined || bridge === undefined || isPort(hostEnd, bridge)) continue
    host.request(route.joinBridge(hostEnd.name, bridge.index), route.enableHairpin(hostEnd.name))
  }
}

/** CIDR text of the subnets that this host is in. */
export function hostSubnets(): string[] {
  using socket = route.openRouteSocket()
  return ([4, 6] as const).flatMap((family) =>
    route.listAddresses(socket, family).map(({ address, prefix }) => `${address}/${prefix}`),
  )
}

/** CIDR text of where this host knows a way to by IPv4, but everywhere, and itself: the Services' own way is that one. */
export function hostRoutes(): string[] {
  using socket = route.openRouteSocket()
  const loopback = route.getLink(socket, 'lo').index
  return route
    .listRoutes(socket)
    .filter(({ destination, linkIndex }) => !destination.endsWith('/0') && linkIndex !== loopback)
    .map(({ destination }) => destination)
}

export function linkExists(name: string): boolean {
  using socket = route.openRouteSocket()
  return findLink(socket, name) !== undefined
}

/** The host's end of a pair. Idempotent. */
export function removePort(name: string): void {
  using host = route.openRouteSocket()
  if (findLink(host, name) !== undefined) host.request(route.deleteLink(name))
}

/** Where somebody has unmounted or removed it; the process keeps the namespace itself. */
export function rebindNetns({ netnsPath, pid }: { netnsPath: string; pid: number }): void {
  removeNetns(netnsPath)
  bindNetns(netnsPath, `/proc/${pid}/ns/net`)
}

/** The links go with the namespace. Idempotent. */
export function tearDown(netnsPath: string): void {
  failpoint('network.teardown')
  removeNetns(netnsPath)
}

/** For UDP ports that have just been published: who sends to them already must meet the new rules. */
export function forgetFlowsToHost(ports: readonly PortRule[]): void {
  using socket = route.openRouteSocket()
  for (const [family, ofFamily] of Map.groupBy(ports, familyOf)) {
    const local = new Set(route.listAddresses(socket, family).map(({ address }) => address))
    const isOn = (port: PortRule, address: string) =>
      isOnAllAddresses(port) ? local.has(address) : port.hostIp === address
    forgetUdpFlows(family, ({ destination }) =>
      ofFamily.some((port) => port.hostPort === destination.port && isOn(port, destination.address)),
    )
  }
}

/** For UDP ports that are published no more. */
export function forgetFlowsToContainer(ports: readonly PortRule[]): void {
  for (const [family, ofFamily] of Map.groupBy(ports, familyOf)) {
    forgetUdpFlows(family, ({ answeredBy }) =>
      ofFamily.some(
        ({ address, containerPort }) => answeredBy.address === address && answeredBy.port === containerPort,
      ),
    )
  }
}

/** Of the host's end of a pair. */
export function isPort({ up, masterIndex }: route.Link, bridge: route.Link): boolean {
  return up && masterIndex === bridge.index
}

function createBridge(socket: NetlinkSocket, name: string, gateway: string, mtu: number | undefined): route.Link {
  socket.request(route.createBridge(name, defaultMac(gateway), mtu ?? route.getDefaultLink(socket)?.mtu ?? DEFAULT_MTU))
  return route.getLink(socket, name)
}

function ensureGateway(socket: NetlinkSocket, link: route.Link, { subnet, gateway }: AddressRange): void {
  const present = route.listAddresses(socket, addressFamily(gateway)!).filter(({ address }) => address === gateway)
  if (present.length === 0) socket.request(route.addAddress(link.index, inSubnet(gateway, subnet)))
  if (present.every(({ linkIndex }) => linkIndex === link.index)) return
  throw new StatusError(
    'failed_precondition',
    `Cannot give the bridge "${link.name}" the address ${gateway}: another link of this host has it; choose another subnet`,
  )
}

/** By name or by index; of one that is gone: nothing. */
export function findLink(socket: NetlinkSocket, link: string | number | undefined): route.Link | undefined {
  try {
    if (link === undefined) return undefined
    return typeof link === 'string' ? route.getLink(socket, link) : route.getLinkByIndex(socket, link)
  } catch (error) {
    if (systemCode(error) === 'ENODEV') return undefined
    throw error
  }
}

function partition<T>(list: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const { yes = [], no = [] } = Object.groupBy(list, (item) => (test(item) ? 'yes' : 'no'))
  return [yes, no]
}

/** A namespace left by a set-up that was cut off is replaced. */
function makeNetns(path: string): void {
  try {
    createNetns(path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    removeNetns(path)
    createNetns(path)
  }
}

/**
 * The peer is made right in the sandbox's namespace, so that it goes with it. The host's end has a random name: one
 * derived from the sandbox could still be there, dying.
 */
function plugIn(socket: NetlinkSocket, netnsPath: string, link: SandboxLink): string {
  const bridge = findLink(socket, link.bridge)
  if (bridge === undefined) {
    throw new StatusError(
      'failed_precondition',
      `The bridge "${link.bridge}" is gone from this host; restart the daemon to make it again`,
    )
  }
  // Not from node:crypto: that takes a thread 10 ms to load.
  const name = `rd${Math.trunc(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')}`
  const netnsFd = openSync(netnsPath, 'r')
  try {
    const peer = { name: link.name, mac: link.mac, netnsFd }
    socket.request(
      route.createVeth({ name, mtu: bridge.mtu, masterIndex: bridge.index, peer }),
      route.enableHairpin(name),
    )
  } finally {
    closeSync(netnsFd)
  }
  return name
}

/** In the calling thread's namespace. */
function switchIpv6({ name, addresses }: SandboxLink): void {
  if (addresses.some((address) => address.includes(':'))) enableIpv6(name)
  else disableIpv6(name)
}

function configure(socket: NetlinkSocket, links: readonly SandboxLink[]): void {
  const messages = links.flatMap(({ name, addresses, gateways }) => {
    const { index } = route.getLink(socket, name)
    return [
      route.setLinkUp(name),
      ...addresses.map((address) => route.addAddress(index, address)),
      ...gateways.map(route.setDefaultRoute),
    ]
  })
  socket.request(route.setLinkUp('lo'), ...messages)
}
