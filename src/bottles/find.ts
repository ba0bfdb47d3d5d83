import { StatusError } from '../lib/errors.ts'
import type { Bottle } from '../model/bottle.ts'
import { shortId } from '../model/names.ts'
import type { ReadTx } from '../store/index.ts'

/** By full id, exact name, unique prefix of the id, in this order. @throws {StatusError} `not_found`, `invalid_argument` */
export function findBottle(tx: ReadTx, ref: string): Bottle {
  const exact = /^[0-9a-f]{64}$/.test(ref) ? tx.getByUid('Bottle', ref) : tx.get('Bottle', ref)
  if (exact !== undefined) return exact
  const matches = /^[0-9a-f]{1,63}$/.test(ref) ? tx.findByUidPrefix('Bottle', ref, 2) : []
  if (matches.length === 1) return matches[0]!
  if (matches.length > 1) {
    const ids = matches.map(({ metadata }) => shortId(metadata.uid)).join(', ')
    throw new StatusError('invalid_argument', `Bottle id "${ref}" is ambiguous: it could be ${ids}; give more digits`)
  }
  throw new StatusError('not_found', `No such bottle: "${ref.slice(0, 128)}"`)
}
