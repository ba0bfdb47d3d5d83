import { randomUUID } from 'node:crypto'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Network, NetworkSpec } from '../model/network.ts'
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
 * Takes an address of the network: the wanted one, or the next.
 * @throws {StatusError} `invalid_argument`, `conflict`; `resource_exhausted` if none is free
 */
export function leaseAddress(tx: WriteTx, network: Network, sandboxId: string, wanted?: string): string {
  const { subnet, gateway } = network.spec
  const taken = (address: string) => tx.get('AddressLease', address, network.metadata.name) !== undefined
  const address = wanted ?? nextAddress(subnet, gateway, network.status.lastAddress, taken)
  if (wanted !== undefined) assertCanHave(network, wanted, taken)
  tx.create('AddressLease', {
    namespace: network.metadata.name,
    name: address,
    uid: randomUUID(),
    owner: { frontEnd: 'condenser', kind: 'Sandbox', uid: sandboxId },
    spec: { sandboxId },
    status: {},
  })
  if (wanted === undefined) tx.putStatus('Network', network.metadata.uid, { lastAddress: address })
  return address
}

/** @throws {StatusError} `not_found`, also for one that is being removed */
export function findNetwork(tx: ReadTx, name: string): Network {
  const network = tx.get('Network', name)
  if (network === undefined || network.status.removingAt !== undefined)
    throw new StatusError('not_found', `No such network: "${name.slice(0, 128)}"`)
  return network
}

function assertCanHave({ metadata, spec }: Network, address: string, taken: (address: string) => boolean): void {
  if (!isHostOf(parseSubnet(spec.subnet), address) || address === spec.gateway) {
    throw new StatusError(
      'invalid_argument',
      `Invalid address "${address.slice(0, 40)}": network "${metadata.name}" has ${spec.subnet} with the gateway ${spec.gateway}`,
    )
  }
  if (taken(address)) {
    throw new StatusError('conflict', `The address ${address} of network "${metadata.name}" is taken`)
  }
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
