import { hasCode, StatusError } from '../lib/errors.ts'
import type { Image } from '../model/image.ts'
import { formatImageReference, parseImageReference } from '../registry/index.ts'
import type { ReadTx } from '../store/index.ts'

/** An image's id, its config's digest, or the beginning of one as lists show it. */
const ID = /^(?:sha256:)?([0-9a-f]{12,64})$/

/**
 * By name, or else by id; an id finds one of the image's names.
 *
 * @throws {StatusError} `invalid_argument`, `not_found`
 */
export function findImage(tx: ReadTx, reference: string): Image {
  const id = ID.exec(reference)?.[1]
  const name = nameOf(reference, id !== undefined)
  const image = (name && tx.get('Image', name)) ?? (id && findById(tx, id))
  if (!image) throw new StatusError('not_found', `No such image: ${name ?? reference}`)
  return image
}

/** Whether a reference that found the image of this name is its id. */
export function isFoundById(name: string, reference: string): boolean {
  return nameOf(reference, ID.test(reference)) !== name
}

/** 64 hex digits are no name. */
function nameOf(reference: string, isId: boolean): string | undefined {
  try {
    return formatImageReference(parseImageReference(reference))
  } catch (error) {
    if (isId && hasCode(error, 'invalid_argument')) return undefined
    throw error
  }
}

function findById(tx: ReadTx, id: string): Image | undefined {
  const found = tx.list('Image').filter(({ spec }) => spec.config.digest.startsWith(`sha256:${id}`))
  if (new Set(found.map(({ spec }) => spec.config.digest)).size > 1) {
    throw new StatusError('invalid_argument', `The id ${id} begins those of several images; give more of it`)
  }
  return found[0]
}
