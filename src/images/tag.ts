import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { imageEvent } from '../model/event.ts'
import type { Image } from '../model/image.ts'
import { formatImageReference, parseImageReference, wireNames } from '../registry/index.ts'
import { tryCollect } from './collect.ts'
import type { Deps } from './deps.ts'
import { findImage } from './find.ts'
import { nameImage } from './name-image.ts'

/**
 * Gives an image a further name. What had that name before loses it, as when a tag is pulled that has moved on.
 *
 * @throws {StatusError} `not_found`; `invalid_argument` for a name with a digest, which cannot be chosen
 */
export async function tagImage(ctx: Ctx, deps: Deps, reference: string, target: string): Promise<Image> {
  const ref = parseImageReference(target)
  if (ref.digest !== undefined) {
    throw new StatusError('invalid_argument', `Cannot tag an image as "${target}": a digest cannot be chosen`)
  }
  const name = formatImageReference(ref)
  failpoint('image.tag.record')
  const { image, moved } = deps.store.write((tx) => {
    const source = findImage(tx, reference)
    const known = tx.get('Image', name)
    const spec = { ...source.spec, ...wireNames(ref) }
    const tagged = nameImage(tx, name, spec)
    tx.event(imageEvent(tagged, 'tag'))
    return { image: tagged, moved: known !== undefined && known.spec.manifest.digest !== spec.manifest.digest }
  })
  await deps.store.durable()
  if (moved) await tryCollect(ctx, deps)
  return image
}
