import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Container } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import { validateName } from '../model/names.ts'
import { assertNameIsFree } from './create.ts'
import type { Deps } from './deps.ts'
import { findContainer, findOwn } from './find.ts'

/** Gives a container another name, whatever its state. @throws {StatusError} `invalid_argument`, `not_found`, `already_exists` */
export async function renameContainer(ctx: Ctx, deps: Deps, ref: string, name: string): Promise<Container> {
  const { store, locks } = deps
  validateName('container', name)
  const id = store.read((tx) => findOwn(tx, ref, 'rename')).metadata.uid
  using _lock = await locks.hold(ctx, id)
  const container = renameHeld(deps, id, name)
  await store.durable()
  return container
}

/** As `renameContainer`, for a caller who holds the container's lock. */
export function renameHeld({ store }: Deps, id: string, name: string): Container {
  failpoint('rename.record')
  return store.write((tx) => {
    const current = findContainer(tx, id)
    const { name: oldName } = current.metadata
    if (oldName === name) {
      throw new StatusError('invalid_argument', `Cannot rename container "${name}": that is its name already`)
    }
    assertNameIsFree(tx.get('Container', name))
    const renamed = tx.put('Container', { ...current, metadata: { ...current.metadata, name } })
    tx.event(containerEvent(renamed, 'rename', { oldName }))
    return renamed
  })
}
