import { randomUUID } from 'node:crypto'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { canonicalAddress, type Family } from '../lib/ip-address.ts'
import type { AddressRange, Network, NetworkSpec } from '../model/network.ts'
import { isHostOf, parseSubnet } from '../model/subnet.ts'
import { type NetworkDriver, nextAddress } from '../network/index.ts'
import type { ReadTx, Store, WriteTx } from '../store/index.ts'

/** The network that containers join unless they name another; its record and its bridge are made at boot. */
export async function ensureDefaultNetwork(
  ctx: Ctx,
  store: Store,
  driver: NetworkDriver,
  spec: NetworkSpec,
): Promise<void> {
  const network = store.write((tx) => {
    const known = tx.get('Network', spec.bridge)
    if (known === undefined) {
      const owner = { frontEnd: 'condenser', kind: 'Daemon', uid: 'default' } as const
      return tx.create('Network', { name: spec.bridge, uid: randomUUID(), owner, spec, status: {} })
    }
    assertSameSubnet(tx, known, spec)
    return tx.put('Network', { ...known, spec })
  })
  failpoint('network.bridge')
  await driver.ensureBridge(ctx, network.spec)
}

/**
 * Takes an address of the network and the family: the wanted one, or the next. Undefined: the network has none of it.
 * @throws {StatusError} `invalid_argument`, `conflict`; `resource_exhausted` if none is free
 */
export function leaseAddress(
  tx: WriteTx,
  network: Network,
  family: Family,
  { sandboxId, wanted }: { readonly sandboxId: string; readonly wanted: string | undefined },
): string | undefined {
  const { metadata, spec, status } = network
  const range = family === 4 ? spec : spec.ipv6
  if (range === undefined) {
    if (wanted === undefined) return undefined
    throw new StatusError(
      'invalid_argument',
      `Network "${metadata.name}" has no IPv6: choose one that was made with it`,
    )
  }
  const taken = (address: string) => tx.get('AddressLease', address, metadata.name) !== undefined
  const last = family === 4 ? status.lastAddress : status.lastAddress6
  const address =
    wanted === undefined ? nextAddress(range.subnet, range.gateway, last, taken) : canonicalHost(network, range, wanted)
  if (taken(address)) throw new StatusError('conflict', `The address ${address} of network "${metadata.name}" is taken`)
  tx.create('AddressLease', {
    namespace: metadata.name,
    name: address,
    uid: randomUUID(),
    owner: { frontEnd: 'condenser', kind: 'Sandbox', uid: sandboxId },
    spec: { sandboxId },
    status: {},
  })
  if (wanted === undefined) {
    tx.putStatus('Network', metadata.uid, family === 4 ? { lastAddress: address } : { lastAddress6: address })
  }
  return `${address}/${range.subnet.split('/')[1]}`
}

/** @throws {StatusError} `not_found`, also for one that is being removed */
export function findNetwork(tx: ReadTx, name: string): Network {
  const network = tx.get('Network', name)
  if (network === undefined || network.status.removingAt !== undefined)
    throw new StatusError('not_found', `No such network: "${name.slice(0, 128)}"`)
  return network
}

/** As the leases are named. */
function canonicalHost({ metadata }: Network, { subnet, gateway }: AddressRange, address: string): string {
  const canonical = isHostOf(parseSubnet(subnet), address) ? canonicalAddress(address) : gateway
  if (canonical !== gateway) return canonical
  throw new StatusError(
    'invalid_argument',
    `Invalid address "${address.slice(0, 60)}": network "${metadata.name}" has ${subnet} with the gateway ${gateway}`,
  )
}

function assertSameSubnet(tx: ReadTx, known: Network, spec: NetworkSpec): void {
  if (known.spec.subnet === spec.subnet && known.spec.gateway === spec.gateway) return
  if (tx.count('AddressLease', { namespace: known.metadata.name }) === 0) return
  throw new StatusError(
    'failed_precondition',
    `Cannot change the subnet of network "${spec.bridge}" from ${known.spec.subnet} to ${spec.subnet}: ` +
      'containers have addresses in it; remove them first, or start with the old subnet',
  )
}
