import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { addressFamily } from '../lib/ip-address.ts'
import type { Container } from '../model/container.ts'
import { shortId } from '../model/names.ts'
import type { PortMapping, Sandbox } from '../model/network.ts'
import type { Deps } from './deps.ts'
import { findNetwork } from './networks.ts'

/** Whether it goes up and down, and goes altogether, with this container; members of a pod are in one that they do not own. */
export function ownsSandbox({ metadata }: Container, sandbox: Sandbox | undefined): boolean {
  return sandbox?.metadata.owner?.uid === metadata.uid
}

/**
 * Where the network namespace of a pod's sandbox is; undefined: it is the host's.
 * @throws {StatusError} `failed_precondition` if it is down
 */
export function joinSandbox({ metadata }: Container, { spec, status }: Sandbox): string | undefined {
  if (spec.networkMode === 'host') return undefined
  if (status.netnsPath !== undefined) return status.netnsPath
  throw new StatusError(
    'failed_precondition',
    `Cannot start container "${metadata.name}": the sandbox of its pod is down`,
  )
}

/** Makes the sandbox's network namespace and links; returns the namespace's path, undefined for the host's own. */
export async function setUpSandbox(ctx: Ctx, deps: Deps, sandbox: Sandbox): Promise<string | undefined> {
  if (sandbox.spec.networkMode === 'host') return undefined
  const { store, network } = deps
  failpoint('start.network')
  const { netnsPath, hostLinks } = await network.setUp(ctx, sandboxKey(sandbox), withBridges(deps, sandbox))
  store.write((tx) => tx.putStatus('Sandbox', sandbox.metadata.uid, { netnsPath, hostLinks }))
  return netnsPath
}

/** Makes the links of a sandbox that is up what its spec says. */
export async function syncSandbox(ctx: Ctx, deps: Deps, sandbox: Sandbox): Promise<void> {
  await deps.network.syncLinks(ctx, sandboxKey(sandbox), withBridges(deps, sandbox))
}

/** A sandbox's attachments as the driver takes them. */
export function withBridges({ store }: Deps, { spec }: Sandbox) {
  return store.read((tx) =>
    spec.attachments.map((attachment) => {
      const { bridge, gateway, ipv6 } = findNetwork(tx, attachment.network).spec
      return { ...attachment, bridge, gateway, ...(ipv6 !== undefined && { gateway6: ipv6.gateway }) }
    }),
  )
}

/** Puts the rules for the published ports in force. */
export async function publishPorts(
  ctx: Ctx,
  deps: Deps,
  sandbox: Sandbox,
  ports: readonly PortMapping[],
): Promise<void> {
  if (ports.length === 0) return
  failpoint('start.ports')
  await deps.network.setPorts(ctx, sandboxKey(sandbox), portRules(deps, sandbox, ports))
}

/** The rules of a sandbox's published ports; they lead to its first attachment, to its address of the port's family. */
export function portRules({ store }: Deps, sandbox: Sandbox, ports: readonly PortMapping[]) {
  const attachment = sandbox.spec.attachments[0]
  if (attachment === undefined) return []
  const { bridge } = store.read((tx) => findNetwork(tx, attachment.network)).spec
  const addresses = new Map(
    attachment.addresses.map((cidr) => cidr.split('/')[0]!).map((ip) => [addressFamily(ip), ip]),
  )
  return ports.flatMap((port) => {
    const address = addresses.get(addressFamily(port.hostIp))
    return address === undefined ? [] : [{ ...port, address, bridge }]
  })
}

/** Takes the sandbox's rules, links and namespace out of the kernel. Also for one that was never set up. */
export async function tearDownSandbox(ctx: Ctx, { network }: Deps, sandbox: Sandbox): Promise<void> {
  failpoint('stop.network')
  if ((sandbox.status.ports ?? []).length > 0) await network.clearPorts(ctx, sandboxKey(sandbox))
  await network.tearDown(ctx, sandboxKey(sandbox))
}

export function sandboxKey(sandbox: Sandbox): string {
  return shortId(sandbox.metadata.uid)
}
