import type { Ctx } from '../lib/ctx.ts'
import type { Container } from '../model/container.ts'
import type { Owner } from '../model/meta.ts'
import { createIn } from './create.ts'
import type { Deps } from './deps.ts'
import { drainContainer } from './drain.ts'
import { removeContainer } from './remove.ts'
import { renameHeld } from './rename.ts'
import { startHeld } from './start.ts'
import { type StopOptions, stopHeld } from './stop.ts'
import { takePorts } from './take-ports.ts'
import type { CreateContainer } from './types.ts'

/** Containers that something else than a user has, which alone changes them. Each verb is whole or undone. */
export interface OwnedContainers {
  /** All of them that there are, in order of creation. */
  list(ownerUid: string): Container[]
  /** Nobody is told that it is on disk: what owns it makes it again, or takes it away. */
  create(ctx: Ctx, owner: Owner, request: CreateContainer, options?: HeirOptions): Promise<Container>
  start(ctx: Ctx, id: string, options?: { readonly withoutPorts?: boolean }): Promise<Container>
  /** Publishes its ports in place of another one that has them; no connection is refused meanwhile. */
  takePorts(ctx: Ctx, id: string, holder: string): Promise<void>
  /** Resolves when it does not run (any more); one that is gone does not. */
  stop(ctx: Ctx, id: string, options?: StopOptions): Promise<void>
  /** Resolves when nobody is connected to it any more, or its time to end is up. */
  drain(ctx: Ctx, id: string): Promise<void>
  rename(ctx: Ctx, id: string, name: string): Promise<void>
  /** With the volumes that were made for it without a name. Idempotent, whatever its state. */
  remove(ctx: Ctx, id: string): Promise<void>
}

export interface HeirOptions {
  /** The container whose published ports it will take. */
  readonly heirOf?: string
}

export function ownedContainers(deps: Deps): OwnedContainers {
  const { store, locks } = deps
  return {
    list: (ownerUid) => store.read((tx) => tx.list('Container', { ownerUid })),

    create(ctx, owner, request, { heirOf } = {}) {
      const portsOf = heirOf && store.read((tx) => tx.getByUid('Container', heirOf))?.spec.sandboxId
      return createIn(ctx, deps, request, { owner, ...(portsOf && { portsOf }) })
    },

    async start(ctx, id, options = {}) {
      using _lock = await locks.hold(ctx, id)
      return await startHeld(ctx, deps, id, options)
    },

    async takePorts(ctx, id, holder) {
      // In one order, whoever asks.
      const [first = '', second = ''] = [id, holder].toSorted()
      using _lock = await locks.hold(ctx, first)
      using _other = await locks.hold(ctx, second)
      await takePorts(ctx, deps, id, holder)
    },

    async stop(ctx, id, options = {}) {
      using _lock = await locks.hold(ctx, id)
      if (store.read((tx) => tx.getByUid('Container', id)) === undefined) return
      await stopHeld(ctx, deps, id, options)
    },

    drain: (ctx, id) => drainContainer(ctx, store, id),

    async rename(ctx, id, name) {
      using _lock = await locks.hold(ctx, id)
      renameHeld(deps, id, name)
    },

    async remove(ctx, id) {
      using _lock = await locks.hold(ctx, id)
      await removeContainer(ctx, deps, id, { volumes: true })
    },
  }
}
