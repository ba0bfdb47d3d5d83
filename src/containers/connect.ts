import { type Ctx, detached } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { eventOf } from '../model/event.ts'
import type { Attachment, Sandbox } from '../model/network.ts'
import type { WriteTx } from '../store/index.ts'
import { attach } from './attachments.ts'
import type { Deps } from './deps.ts'
import { writeEtcFiles } from './etc-files.ts'
import { findContainer, findOwn } from './find.ts'
import { findNetwork } from './networks.ts'
import { portRules, sandboxKey, syncSandbox } from './sandbox.ts'
import type { AttachRequest } from './types.ts'

/**
 * Attaches a container to one more network, at once if it runs.
 * @throws {StatusError} `not_found`, `conflict` (it is attached already), and as `attach`
 */
export async function connectContainer(ctx: Ctx, deps: Deps, ref: string, request: AttachRequest): Promise<void> {
  const id = deps.store.read((tx) => findOwn(tx, ref, 'connect')).metadata.uid
  using _lock = await deps.locks.hold(ctx, id)
  failpoint('connect.record')
  const sandbox = change(deps, id, (tx, { metadata, spec }) => {
    assertHasNetworks(spec, 'connect')
    tx.event(networkEvent(tx, request.network, 'connect', id))
    return [...spec.attachments, attach(tx, metadata.uid, spec.attachments, request)]
  })
  try {
    await apply(ctx, deps, id, sandbox)
  } catch (error) {
    const before = change(deps, id, (tx, current) => without(tx, current, request.network))
    await apply(detached(ctx), deps, id, before).catch((undo) =>
      deps.log.error('a failed connect could not be taken back', { containerId: id, error: undo }),
    )
    throw error
  }
  await deps.store.durable()
}

/** @throws {StatusError} `not_found`; `failed_precondition` if it is not attached to it */
export async function disconnectContainer(ctx: Ctx, deps: Deps, ref: string, network: string): Promise<void> {
  const id = deps.store.read((tx) => findOwn(tx, ref, 'disconnect')).metadata.uid
  using _lock = await deps.locks.hold(ctx, id)
  failpoint('disconnect.record')
  const sandbox = change(deps, id, (tx, current) => {
    assertHasNetworks(current.spec, 'disconnect')
    if (!current.spec.attachments.some((attachment) => attachment.network === network)) {
      throw new StatusError('failed_precondition', `The container "${ref}" is not attached to network "${network}"`)
    }
    return without(tx, current, network)
  })
  await apply(ctx, deps, id, sandbox)
  await deps.store.durable()
}

function change(
  { store }: Deps,
  id: string,
  attachmentsOf: (tx: WriteTx, sandbox: Sandbox) => readonly Attachment[],
): Sandbox {
  return store.write((tx) => {
    const sandbox = tx.getByUid('Sandbox', findContainer(tx, id).spec.sandboxId)!
    return tx.put('Sandbox', { ...sandbox, spec: { ...sandbox.spec, attachments: attachmentsOf(tx, sandbox) } })
  })
}

function networkEvent(tx: WriteTx, name: string, action: 'connect' | 'disconnect', container: string) {
  return eventOf('Network', findNetwork(tx, name), action, { container })
}

function without(tx: WriteTx, { metadata, spec }: Sandbox, network: string): readonly Attachment[] {
  tx.event(networkEvent(tx, network, 'disconnect', metadata.owner?.uid ?? ''))
  for (const lease of tx.list('AddressLease', { ownerUid: metadata.uid, namespace: network })) {
    tx.delete('AddressLease', lease.metadata.uid)
  }
  return spec.attachments.filter((attachment) => attachment.network !== network)
}

/** Of a sandbox that is down there is nothing to change yet. */
async function apply(ctx: Ctx, deps: Deps, id: string, sandbox: Sandbox): Promise<void> {
  if (sandbox.status.netnsPath === undefined) return
  failpoint('connect.links')
  await syncSandbox(ctx, deps, sandbox)
  const ports = sandbox.status.ports ?? []
  if (ports.length > 0) await deps.network.setPorts(ctx, sandboxKey(sandbox), portRules(deps, sandbox, ports))
  await writeEtcFiles(
    deps,
    deps.store.read((tx) => findContainer(tx, id)),
    sandbox,
  )
}

function assertHasNetworks({ networkMode }: Sandbox['spec'], what: string): void {
  if (networkMode === undefined) return
  throw new StatusError(
    'failed_precondition',
    `Cannot ${what} a container with network "${networkMode}": create it with a network of its own`,
  )
}
