import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { coalesce } from '../lib/coalesce.ts'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { addressFamily } from '../lib/ip-address.ts'
import type { Logger } from '../lib/log.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { isMountPoint } from '../linux/mount.ts'
import { watchNfTables } from '../linux/nftables.ts'
import { watchLinks } from '../linux/rtnetlink.ts'
import { spawningThreadId } from '../linux/spawn.ts'
import type { Attachment, NetworkSpec } from '../model/network.ts'
import { canonicalSubnet } from './addresses.ts'
import { Firewall } from './firewall.ts'
import type * as ops from './ops.ts'
import type { PortRule } from './port-table.ts'
import type { ServiceNetwork, ServiceRule } from './services/service-rule.ts'
import { ServiceRules } from './services/service-rules.ts'

/** The sandboxes' side of the host's network. `key` names a sandbox; everything may be called again. */
export interface NetworkDriver {
  /**
   * The bridge with the gateway's address, up, and the sysctls that it needs. Its rules follow with `enforce`, so
   * that a daemon that starts does not take the ports of running containers away for a moment.
   */
  ensureBridge(ctx: Ctx, network: NetworkSpec): Promise<void>
  /** The bridge and its rules go. */
  removeBridge(ctx: Ctx, network: NetworkSpec): Promise<void>
  /** A new network namespace with its links, addresses and default route, behind its network's rules. */
  setUp(ctx: Ctx, key: string, attachments: readonly BridgeAttachment[]): Promise<SandboxNetwork>
  /** Plugs in and out what is missing or too many in a namespace that is in use. */
  syncLinks(ctx: Ctx, key: string, attachments: readonly BridgeAttachment[]): Promise<void>
  tearDown(ctx: Ctx, key: string): Promise<void>
  /** These and no others are the sandbox's published ports. */
  setPorts(ctx: Ctx, key: string, rules: readonly PortRule[]): Promise<void>
  clearPorts(ctx: Ctx, key: string): Promise<void>
  /**
   * These and no others are the ports of Services; resolves when they are in force. Connections to an endpoint that
   * leaves live on. Until the first call, and `enforce`, the rules of the daemon before stay.
   * @throws {StatusError} `invalid_argument`, before anything is changed
   */
  setServices(ctx: Ctx, services: readonly ServiceRule[]): Promise<void>
  /** At boot, before the first `setUp`: what there is to be, whatever is there; in force with the next `enforce`. */
  restore(ctx: Ctx, networks: readonly NetworkSpec[], ports: ReadonlyMap<string, readonly PortRule[]>): Promise<void>
  /** Resolves when the rules are in force; what needs them waits for that by itself. */
  enforce(): Promise<void>
  /** @throws {StatusError} `failed_precondition` if this host cannot have networks with IPv6 */
  assertIpv6(): Promise<void>
  /** CIDR text of the subnets that the host itself is in, of both families. */
  hostSubnets(): Promise<string[]>
  /** CIDR text of where this host has an IPv4 route to, the default one and those of Services apart. */
  hostRoutes(): Promise<string[]>
  linkExists(name: string): Promise<boolean>
  /** The keys of all namespaces that are there. */
  listNetns(): Promise<string[]>
  /** What of a sandbox that is up is not as it should be, in words; nothing is changed. `syncLinks` mends it. */
  inspect(ctx: Ctx, key: string, attachments: readonly BridgeAttachment[]): Promise<string[]>
  /** The same of a network's bridge; `ensureBridge` mends it, and then `syncLinks` what was attached to it. */
  inspectBridge(ctx: Ctx, network: NetworkSpec): Promise<string[]>
  /** The same of the rules and published ports of all networks; `mendRules` mends it. */
  inspectRules(ctx: Ctx): Promise<string[]>
  mendRules(ctx: Ctx): Promise<void>
  /**
   * Until disposed of, puts rules that others change back, and calls after a bridge has gone, is down or has lost its
   * address. Rules of iptables-legacy are looked at only when rules change.
   */
  watch(onBridgeLost: () => void): Promise<Disposable>
  /** A sandbox's published ports, as this process has them. */
  portsOf(key: string): readonly PortRule[]
  /** Names of links of ours in these networks' bridges that lead to no namespace of ours. */
  strayPorts(ctx: Ctx, networks: readonly NetworkSpec[]): Promise<string[]>
  removePort(ctx: Ctx, name: string): Promise<void>
  /** Binds the namespace that a process is in to the sandbox's path, where that has been lost. */
  rebindNetns(ctx: Ctx, key: string, pid: number): Promise<void>
}

type BridgeAttachment = Attachment & {
  readonly bridge: string
  readonly gateway: string
  readonly gateway6?: string
}

interface SandboxNetwork {
  readonly netnsPath: string
  readonly hostLinks: string[]
}

/** Others change rules in steps: what is half done is not put back. */
const SETTLE_MS = 100

interface NetworkOptions {
  /** Serves `networkOps` and the operations of `linux/spawn.ts`. */
  readonly thread: KernelThread
  /** Where the namespaces are mounted. */
  readonly netnsDir: string
  readonly log: Logger
  /** Absent: there are no Services. */
  readonly services?: ServiceNetwork
}

export function createNetwork({ thread, netnsDir, log, ...options }: NetworkOptions): NetworkDriver {
  const firewall = new Firewall(thread, log)
  const serviceNetwork = options.services && { ...options.services, subnet: canonicalSubnet(options.services.subnet) }
  const services = serviceNetwork && new ServiceRules({ thread, log, network: serviceNetwork })
  const netnsPath = (key: string) => join(netnsDir, key)
  /** Of a kernel that has lost it since a network was made: all else must go on. */
  let hasIpv6 = true
  const asPossible = ({ ipv6, ...network }: NetworkSpec): NetworkSpec =>
    ipv6 === undefined || !hasIpv6 ? network : { ...network, ipv6 }

  async function setPorts(key: string, rules: readonly PortRule[]): Promise<void> {
    for (const rule of rules) assertValid(rule)
    const before = firewall.ports(key)
    firewall.setPorts(key, rules)
    await firewall.sync()
    await forgetFlows('network.forgetFlowsToContainer', before)
    await forgetFlows('network.forgetFlowsToHost', rules)
  }

  async function forgetFlows(op: string, rules: readonly PortRule[]): Promise<void> {
    const udp = rules.filter(({ protocol }) => protocol === 'udp')
    if (udp.length === 0) return
    await thread.call(op, udp).catch((error: unknown) => log.warn('cannot reset UDP flows', { error }))
  }

  async function assertIpv6(): Promise<void> {
    await thread.call('network.assertHasIpv6', null)
    await firewall.assertIpv6()
  }

  function addNetwork(network: NetworkSpec): void {
    firewall.addNetwork(network)
    services?.addBridge(network.bridge)
  }

  async function loadBridgeNetfilter(): Promise<boolean> {
    const keepsClients = await thread.call<boolean>('network.loadBridgeNetfilter', null)
    if (serviceNetwork !== undefined) firewall.knowServices({ ...serviceNetwork, keepsClients })
    return keepsClients
  }

  async function routeServices({ bridge, gateway }: NetworkSpec): Promise<void> {
    if (bridge !== serviceNetwork?.bridge) return
    await thread
      .call('network.routeServices', { subnet: serviceNetwork.subnet, source: gateway })
      .catch((error: unknown) => log.warn('this host may not reach Services by their addresses', { error }))
  }

  /** One after the other: each then knows of every change of the rules that was not its own. */
  async function sync(): Promise<void> {
    await firewall.sync()
    await services?.sync()
  }

  return {
    async ensureBridge(_ctx, network) {
      assertBridgeName(network.bridge)
      if (!(await loadBridgeNetfilter())) {
        log.warn('no br_netfilter: traffic within a bridge does not pass iptables', { bridge: network.bridge })
      }
      await mkdir(netnsDir, { recursive: true })
      await thread.call('network.ensureBridge', network)
      await routeServices(network)
      addNetwork(network)
      await sync()
    },

    async removeBridge(_ctx, network) {
      await thread.call('network.removeBridge', network)
      firewall.removeNetwork(asPossible(network))
      services?.removeBridge(network.bridge)
      await sync()
    },

    async setUp(_ctx, key, attachments) {
      const input = { netnsPath: netnsPath(key), links: toLinks(attachments) } satisfies ops.SetUpInput
      const [{ hostLinks }] = await Promise.all([
        thread.call<{ hostLinks: string[] }>('network.setUp', input),
        ...attachments.map(({ bridge }) => firewall.enforced(bridge)),
      ])
      return { netnsPath: input.netnsPath, hostLinks }
    },

    async syncLinks(_ctx, key, attachments) {
      const input = { netnsPath: netnsPath(key), links: toLinks(attachments) } satisfies ops.SetUpInput
      await Promise.all([
        thread.call('network.syncLinks', input),
        ...attachments.map(({ bridge }) => firewall.enforced(bridge)),
      ])
    },

    async tearDown(_ctx, key) {
      await thread.call('network.tearDown', netnsPath(key))
    },

    setPorts: (_ctx, key, rules) => setPorts(key, rules),
    clearPorts: (_ctx, key) => setPorts(key, []),

    async setServices(_ctx, rules) {
      if (services === undefined) {
        throw new StatusError('failed_precondition', 'Cannot set Services: this daemon has no subnet for them')
      }
      services.set(rules)
      await services.sync()
    },

    async restore(_ctx, networks, ports) {
      for (const rule of [...ports.values()].flat()) assertValid(rule)
      if (networks.some(({ ipv6 }) => ipv6 !== undefined)) {
        await assertIpv6().catch((error: unknown) => {
          hasIpv6 = false
          log.error('networks go on without IPv6', { error })
        })
      }
      for (const network of networks.map(asPossible)) {
        assertBridgeName(network.bridge)
        addNetwork(network)
      }
      if (services !== undefined) await loadBridgeNetfilter()
      firewall.reset(ports)
      services?.reset()
    },

    enforce: sync,

    assertIpv6,
    hostSubnets: () => thread.call('network.hostSubnets', null),
    hostRoutes: () => thread.call('network.hostRoutes', null),
    linkExists: (name) => thread.call('network.linkExists', name),

    async listNetns() {
      await mkdir(netnsDir, { recursive: true })
      return readdir(netnsDir)
    },

    async inspect(_ctx, key, attachments) {
      const input = { netnsPath: netnsPath(key), links: toLinks(attachments) } satisfies ops.SetUpInput
      if (!isMountPoint(input.netnsPath)) return [`its network namespace is not at ${input.netnsPath}`]
      return await thread.call('network.inspect', input)
    },
    inspectBridge: (_ctx, network) => thread.call('network.inspectBridge', asPossible(network)),
    inspectRules: async () => [...(await firewall.inspect()), ...((await services?.inspect()) ?? [])],
    async mendRules() {
      await firewall.mend()
      await services?.mend()
    },
    strayPorts: (_ctx, networks) =>
      thread.call('network.strayPorts', { bridges: networks.map(({ bridge }) => bridge), netnsDir }),
    portsOf: (key) => firewall.ports(key),
    async watch(onBridgeLost) {
      const threadId = await spawningThreadId(thread)
      const verify = coalesce(SETTLE_MS, async () => {
        for (const rules of [firewall, ...(services === undefined ? [] : [services])]) {
          await rules.verify().catch((error: unknown) => log.error('cannot put firewall rules back', { error }))
        }
      })
      const stack = new DisposableStack()
      stack.use(verify)
      stack.use(watchNfTables(threadId, verify.call))
      stack.use(watchLinks((name) => firewall.hasNetwork(name), onBridgeLost))
      return stack
    },
    removePort: (_ctx, name) => thread.call('network.removePort', name),
    async rebindNetns(_ctx, key, pid) {
      const path = netnsPath(key)
      if (!isMountPoint(path)) await thread.call('network.rebindNetns', { netnsPath: path, pid })
    },
  }
}

/** The attachment of the highest priority, the first of equals, gives the default route of each family that it has. */
function toLinks(attachments: readonly BridgeAttachment[]): ops.SandboxLink[] {
  const sorted = attachments.toSorted((a, b) => b.gatewayPriority - a.gatewayPriority)
  const first = sorted[0]
  const first6 = sorted.find(({ gateway6 }) => gateway6 !== undefined)
  return attachments.map((attachment) => {
    const { bridge, interface: name, mac, addresses, gateway, gateway6 } = attachment
    const gateways = [...(attachment === first ? [gateway] : []), ...(attachment === first6 ? [gateway6!] : [])]
    return { bridge, name, mac, addresses, gateways }
  })
}

/** Names go into rule text: a link's name may hold far more than this, and `+` is a wildcard there. */
function assertBridgeName(bridge: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(bridge)) return
  throw new StatusError(
    'invalid_argument',
    `Invalid bridge name "${bridge}": use at most 15 letters, digits, "_", "." and "-"`,
  )
}

function assertValid({ hostIp, hostPort, containerPort, protocol, address }: PortRule): void {
  const isPort = (port: number) => Number.isInteger(port) && port > 0 && port < 65_536
  const family = addressFamily(hostIp)
  const sameFamily = family !== undefined && addressFamily(address) === family
  if (sameFamily && isPort(hostPort) && isPort(containerPort) && (protocol === 'tcp' || protocol === 'udp')) {
    return
  }
  throw new StatusError(
    'invalid_argument',
    `Invalid published port ${hostIp}:${hostPort} to ${address}:${containerPort}/${protocol}`,
  )
}
