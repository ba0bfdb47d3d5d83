import { randomBytes, randomUUID } from 'node:crypto'
import { type Ctx, detached } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { eventOf } from '../model/event.ts'
import { validateName } from '../model/names.ts'
import type { Network } from '../model/network.ts'
import { parseSubnet } from '../model/subnet.ts'
import type { ReadTx } from '../store/index.ts'
import type { Deps } from './deps.ts'
import { planNetwork, wantsIpv6 } from './plan-network.ts'
import type { CreateNetwork } from './types.ts'

const LINK_NAME = /^[a-zA-Z][a-zA-Z0-9_-]{0,14}$/
/** They mean something else where a container names its network. */
const RESERVED = ['host', 'none', 'default', 'bridge', 'container']

/**
 * Makes a network and its bridge. The record owns the bridge: recovery makes it anew or finishes its removal.
 * @throws {StatusError} `invalid_argument`, `already_exists`, `conflict` (subnet or link of that name in use),
 *   `resource_exhausted` (no free subnet)
 */
export async function createNetwork(ctx: Ctx, deps: Deps, request: CreateNetwork): Promise<Network> {
  const { store, network: driver, locks } = deps
  const { name } = request
  validateName('network', name)
  if (RESERVED.includes(name)) throw new StatusError('invalid_argument', `A network cannot be called "${name}"`)
  using _lock = await locks.hold(ctx, networkLock(name))
  const bridge = LINK_NAME.test(name) ? name : `rd-${randomBytes(5).toString('hex')}`
  store.read((tx) => assertNameIsFree(tx, name))
  if (await driver.linkExists(bridge)) {
    throw new StatusError('conflict', `Cannot create network "${name}": this host has a link of that name`)
  }
  if (wantsIpv6(request)) await driver.assertIpv6()
  const ofHost = (await driver.hostSubnets()).map((text) => parseSubnet(text))
  failpoint('network.create.record')
  const network = store.write((tx) => {
    assertNameIsFree(tx, name)
    const spec = planNetwork(tx, deps, request, { bridge, ofHost })
    const owner = { frontEnd: 'condenser', kind: 'Network', uid: name } as const
    const made = tx.create('Network', {
      name,
      uid: randomUUID(),
      labels: request.labels ?? {},
      owner,
      spec,
      status: {},
    })
    const subnets = { subnet: spec.subnet, ...(spec.ipv6 && { subnet6: spec.ipv6.subnet }) }
    tx.event(eventOf('Network', made, 'create', subnets))
    return made
  })
  try {
    failpoint('network.create.bridge')
    await driver.ensureBridge(ctx, network.spec)
  } catch (error) {
    await finishRemoval(detached(ctx), deps, network).catch((undo) =>
      deps.log.error('a network that could not be made is taken away at the next start', {
        network: name,
        error: undo,
      }),
    )
    throw error
  }
  await store.durable()
  return network
}

/** @throws {StatusError} `not_found`; `failed_precondition` for the default network; `conflict` while containers are attached to it */
export async function removeNetwork(ctx: Ctx, deps: Deps, name: string): Promise<void> {
  using _lock = await deps.locks.hold(ctx, networkLock(name))
  if (name === deps.defaults.network) {
    throw new StatusError('failed_precondition', `Cannot remove network "${name}": it is the daemon's default network`)
  }
  failpoint('network.remove.record')
  const network = deps.store.write((tx) => {
    const found = tx.get('Network', name)
    if (found === undefined) throw new StatusError('not_found', `No such network: "${name.slice(0, 128)}"`)
    assertUnused(tx, name)
    return tx.putStatus('Network', found.metadata.uid, { removingAt: Date.now() })
  })
  await finishRemoval(ctx, deps, network)
  await deps.store.durable()
}

/** At boot, before any container is looked at: the bridges that a reboot has taken; the default network has its own already. */
export async function ensureBridges(ctx: Ctx, { store, network: driver, defaults, log }: Deps): Promise<void> {
  for (const { metadata, spec, status } of store.read((tx) => tx.list('Network'))) {
    if (status.removingAt !== undefined || metadata.name === defaults.network) continue
    await driver
      .ensureBridge(ctx, spec)
      .catch((error) => log.error('the bridge of a network could not be made', { network: metadata.name, error }))
  }
}

/** At boot, once the rules of all others are in force. */
export async function finishRemovals(ctx: Ctx, deps: Deps): Promise<void> {
  for (const network of deps.store.read((tx) => tx.list('Network'))) {
    if (network.status.removingAt !== undefined) await finishRemoval(ctx, deps, network)
  }
}

/** Of a network that is marked for it. Idempotent. */
export async function finishRemoval(ctx: Ctx, { store, network: driver }: Deps, network: Network): Promise<void> {
  const { metadata, spec } = network
  await driver.removeBridge(ctx, spec)
  failpoint('network.remove.done')
  store.write((tx) => {
    if (tx.delete('Network', metadata.uid)) tx.event(eventOf('Network', network, 'remove'))
  })
}

function assertNameIsFree(tx: ReadTx, name: string): void {
  if (tx.get('Network', name) === undefined) return
  throw new StatusError('already_exists', `There is a network "${name}" already`)
}

function assertUnused(tx: ReadTx, name: string): void {
  const sandboxes = tx.list('Sandbox').filter(({ spec }) => spec.attachments.some(({ network }) => network === name))
  if (sandboxes.length === 0) return
  const ids = new Set(sandboxes.map(({ metadata }) => metadata.uid))
  const names = tx.list('Container').filter(({ spec }) => ids.has(spec.sandboxId))
  const list = names.slice(0, 5).map(({ metadata }) => `"${metadata.name}"`)
  throw new StatusError(
    'conflict',
    `Cannot remove network "${name}": ${list.join(', ')}${names.length > 5 ? ' and others are' : names.length > 1 ? ' are' : ' is'} attached to it; disconnect or remove them first`,
  )
}

export function networkLock(name: string): string {
  return `network/${name}`
}
