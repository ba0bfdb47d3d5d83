import { StatusError } from '../lib/errors.ts'
import type { Image } from '../model/image.ts'
import { formatImageReference, parseImageReference } from '../registry/index.ts'
import type { ReadTx } from '../store/index.ts'

/** @throws {StatusError} `invalid_argument`, `not_found` */
export function findImage(tx: ReadTx, reference: string): Image {
  const name = formatImageReference(parseImageReference(reference))
  const image = tx.get('Image', name)
  if (image === undefined) throw new StatusError('not_found', `No such image: ${name}`)
  return image
}
