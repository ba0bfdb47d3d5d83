import { StatusError } from '../lib/errors.ts'
import { BOTTLE_LABELS } from '../model/bottle-labels.ts'
import { type Container, isOfPod } from '../model/container.ts'
import { shortId } from '../model/names.ts'
import { POD_LABELS } from '../model/pod-labels.ts'
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

/**
 * As `findContainer`, for what a user does to a container: those of pods and bottles are theirs to change.
 * @throws {StatusError} `not_found`, `invalid_argument`, `failed_precondition`
 */
export function findOwn(tx: ReadTx, ref: string, action: string): Container {
  const container = findContainer(tx, ref)
  if (isOfBottle(tx, container)) {
    const bottle = container.metadata.labels[BOTTLE_LABELS.bottle]
    throw new StatusError(
      'failed_precondition',
      `Cannot ${action} container "${container.metadata.name}": it belongs to bottle ${bottle}; ${action} the bottle instead`,
    )
  }
  if (!isOfPod(container)) return container
  const { [POD_LABELS.namespace]: namespace, [POD_LABELS.name]: pod } = container.metadata.labels
  throw new StatusError(
    'failed_precondition',
    `Cannot ${action} container "${container.metadata.name}": it belongs to pod ${pod} in namespace ${namespace}; ${action} the pod, or what manages it, instead`,
  )
}

/** One that has lost its bottle is anybody's. */
function isOfBottle(tx: ReadTx, { metadata }: Container): boolean {
  return metadata.owner?.kind === 'Bottle' && tx.getByUid('Bottle', metadata.owner.uid) !== undefined
}
