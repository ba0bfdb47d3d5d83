import { StatusError } from '../lib/errors.ts'
import type { Container } from '../model/container.ts'
import { shortId } from '../model/names.ts'
import type { ReadTx } from '../store/index.ts'

/** By full id, exact name, unique prefix of the id, in this order. @throws {StatusError} `not_found`, `invalid_argument` */
export function findContainer(tx: ReadTx, ref: string): Container {
  const exact = /^[0-9a-f]{64}$/.test(ref) ? tx.getByUid('Container', ref) : tx.get('Container', ref)
  if (exact !== undefined) return exact
  const matches = /^[0-9a-f]{1,63}$/.test(ref) ? tx.findByUidPrefix('Container', ref, 2) : []
  if (matches.length === 1) return matches[0]!
  if (matches.length > 1) {
    const ids = matches.map((container) => shortId(container.metadata.uid)).join(', ')
    throw new StatusError(
      'invalid_argument',
      `Container id "${ref}" is ambiguous: it could be ${ids}; give more digits`,
    )
  }
  throw new StatusError('not_found', `No such container: "${ref.slice(0, 128)}"`)
}
