/** What the kernel thread does for the network: synchronous, a few system calls each. */
import { closeSync, openSync } from 'node:fs'
import { StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { forgetUdpFlows } from '../linux/conntrack.ts'
import { loadModule } from '../linux/module.ts'
import type { NetlinkSocket } from '../linux/netlink.ts'
import { createNetns, inNetns, removeNetns } from '../linux/netns.ts'
import * as route from '../linux/rtnetlink.ts'
import { hasSysctl, setSysctl } from '../linux/sysctl.ts'
import type { NetworkSpec } from '../model/network.ts'
import { defaultMac, inSubnet } from './addresses.ts'
import type { PortRule } from './port-table.ts'

const DEFAULT_MTU = 1500

export interface SandboxLink {
  readonly bridge: string
  /** The link's name inside. */
  readonly name: string
  readonly mac: string
  readonly addresses: readonly string[]
  /** Present if the default route leads through this link. */
  readonly gateway?: string
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
export function ensureBridge({ bridge, subnet, gateway, mtu }: NetworkSpec): void {
  using socket = route.openRouteSocket()
  failpoint('network.bridge-link')
  const link = findLink(socket, bridge) ?? createBridge(socket, bridge, gateway, mtu)
  if (link.kind !== 'bridge') {
    throw new StatusError('failed_precondition', `Cannot use the link "${bridge}" of this host as bridge: it is none`)
  }
  assertSubnetIsOurs(socket, link, gateway)
  socket.request(route.callIptables(bridge), route.setLinkUp(bridge))
  if (!route.listAddresses(socket).some(({ address, linkIndex }) => address === gateway && linkIndex === link.index)) {
    socket.request(route.addAddress(link.index, inSubnet(gateway, subnet)))
  }
  // Containers must not be able to give the host IPv6 routes.
  if (hasSysctl(`net/ipv6/conf/${bridge}`)) setSysctl(`net/ipv6/conf/${bridge}/disable_ipv6`, 1)
  setSysctl(`net/ipv4/conf/${bridge}/route_localnet`, 1)
  setSysctl('net/ipv4/ip_forward', 1)
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
    using inside = inNetns(netnsPath, route.openRouteSocket)
    configure(inside, links)
    return { hostLinks }
  } catch (error) {
    removeNetns(netnsPath)
    throw error
  }
}

/**
 * Makes the links of a namespace in use what they should be: what is missing or was left without an address comes
 * anew, what is too many goes, the others are not touched. Idempotent.
 */
export function syncLinks({ netnsPath, links }: SetUpInput): void {
  using host = route.openRouteSocket()
  using inside = inNetns(netnsPath, route.openRouteSocket)
  const configured = new Set(route.listAddresses(inside).map(({ linkIndex }) => linkIndex))
  const [ready, unready] = partition(
    route.listLinks(inside).filter(({ kind }) => kind === 'veth'),
    ({ index, name }) => configured.has(index) && links.some((link) => link.name === name),
  )
  failpoint('network.unplug')
  for (const { name } of unready) inside.request(route.deleteLink(name))
  const missing = links.filter(({ name }) => !ready.some((link) => link.name === name))
  failpoint('network.plug')
  for (const link of missing) plugIn(host, netnsPath, link)
  configure(inside, missing)
  const gateway = links.find((link) => link.gateway !== undefined)?.gateway
  if (gateway !== undefined) inside.request(route.setDefaultRoute(gateway))
}

/** CIDR text of the subnets that this host is in. */
export function hostSubnets(): string[] {
  using socket = route.openRouteSocket()
  return route.listAddresses(socket).map(({ address, prefix }) => `${address}/${prefix}`)
}

export function linkExists(name: string): boolean {
  using socket = route.openRouteSocket()
  return findLink(socket, name) !== undefined
}

/** The links go with the namespace. Idempotent. */
export function tearDown(netnsPath: string): void {
  failpoint('network.teardown')
  removeNetns(netnsPath)
}

/** For UDP ports that have just been published: who sends to them already must meet the new rules. */
export function forgetFlowsToHost(ports: readonly PortRule[]): void {
  using socket = route.openRouteSocket()
  const local = new Set(route.listAddresses(socket).map(({ address }) => address))
  forgetUdpFlows(({ destination }) =>
    ports.some(
      ({ hostIp, hostPort }) =>
        destination.port === hostPort &&
        (hostIp === '0.0.0.0' ? local.has(destination.address) : destination.address === hostIp),
    ),
  )
}

/** For UDP ports that are published no more. */
export function forgetFlowsToContainer(ports: readonly PortRule[]): void {
  forgetUdpFlows(({ answeredBy }) =>
    ports.some(({ address, containerPort }) => answeredBy.address === address && answeredBy.port === containerPort),
  )
}

function createBridge(socket: NetlinkSocket, name: string, gateway: string, mtu: number | undefined): route.Link {
  socket.request(route.createBridge(name, defaultMac(gateway), mtu ?? route.getDefaultLink(socket)?.mtu ?? DEFAULT_MTU))
  return route.getLink(socket, name)
}

function assertSubnetIsOurs(socket: NetlinkSocket, link: route.Link, gateway: string): void {
  const other = route
    .listAddresses(socket)
    .find(({ address, linkIndex }) => address === gateway && linkIndex !== link.index)
  if (other === undefined) return
  throw new StatusError(
    'failed_precondition',
    `Cannot give the bridge "${link.name}" the address ${gateway}: another link of this host has it; choose another subnet`,
  )
}

function findLink(socket: NetlinkSocket, name: string): route.Link | undefined {
  try {
    return route.getLink(socket, name)
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

function configure(socket: NetlinkSocket, links: readonly SandboxLink[]): void {
  const messages = links.flatMap(({ name, addresses, gateway }) => {
    const { index } = route.getLink(socket, name)
    return [
      ...addresses.map((address) => route.addAddress(index, address)),
      route.setLinkUp(name),
      ...(gateway === undefined ? [] : [route.setDefaultRoute(gateway)]),
    ]
  })
  socket.request(route.setLinkUp('lo'), ...messages)
}
