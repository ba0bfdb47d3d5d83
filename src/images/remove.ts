import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Image } from '../model/image.ts'
import type { ReadTx } from '../store/index.ts'
import { tryCollect } from './collect.ts'
import type { Deps } from './deps.ts'
import { findImage, isFoundById } from './find.ts'
import { forgetImage } from './forget-image.ts'

/**
 * Removes one name of an image, and with the last one what only it needed. The name is gone for good before anything
 * else is removed, so a removal that is broken off there is finished by the next collection.
 *
 * @throws {StatusError} `not_found`; `conflict` if a container uses it
 */
export async function removeImage(ctx: Ctx, deps: Deps, reference: string): Promise<void> {
  failpoint('image.remove.record')
  deps.store.write((tx) => {
    const image = findImage(tx, reference)
    assertNamed(tx, image, reference)
    assertNotInUse(tx, image)
    forgetImage(tx, image)
  })
  await deps.store.durable()
  await tryCollect(ctx, deps)
}

/** An id means all of an image; which of several names shall go, it does not tell. */
function assertNamed(tx: ReadTx, { metadata, spec }: Image, reference: string): void {
  if (!isFoundById(metadata.name, reference)) return
  const names = tx
    .list('Image')
    .filter((other) => other.spec.config.digest === spec.config.digest)
    .map((other) => other.metadata.name)
  if (names.length < 2) return
  throw new StatusError(
    'conflict',
    `Cannot remove image ${reference}: it has several names; remove ${names.join(', ')}`,
  )
}

/** A container holds on to the name it was made from; other names of the same image may go. */
function assertNotInUse(tx: ReadTx, { metadata, spec }: Image): void {
  const imageId = spec.config.digest
  const isLastName = tx.list('Image').filter((other) => other.spec.config.digest === imageId).length === 1
  const users = tx
    .list('Container')
    .filter((container) => container.spec.imageId === imageId && (isLastName || container.spec.image === metadata.name))
    .map((container) => `"${container.metadata.name}"`)
  if (users.length === 0) return
  const shown = users.length > 5 ? `${users.slice(0, 5).join(', ')} and ${users.length - 5} more` : users.join(', ')
  throw new StatusError(
    'conflict',
    `Cannot remove image ${metadata.name}: used by container ${shown}; remove that first`,
  )
}
