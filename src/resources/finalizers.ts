import { StatusError } from '../lib/errors.ts'
import type { Kinds } from '../model/kinds.ts'
import type { KubeKind } from '../model/kube/kinds.ts'
import type { WriteTx } from '../store/index.ts'
import { Deletion } from './delete.ts'

/**
 * Takes finalizers off an object that waits for them; with the last it goes. Nothing else of it can change any more.
 * @param wanted those that are to stay; none is added
 * @throws {StatusError} `conflict` if it does not wait for any, or all are to stay
 */
export function releaseFinalizers<K extends KubeKind>(
  tx: WriteTx,
  kind: K,
  object: Kinds[K],
  wanted: readonly string[],
): Kinds[K] {
  const { name, finalizers = [] } = object.metadata
  const left = finalizers.filter((finalizer) => wanted.includes(finalizer))
  if (left.length === finalizers.length) {
    const why =
      left.length === 0 ? '' : `, and waits for its finalizers ${left.join(', ')}: with "finalizers": [] it goes`
    throw new StatusError(
      'conflict',
      `Cannot apply ${kind} "${name}": it is being deleted${why}; apply it again when it is gone`,
    )
  }
  const put = tx.put(kind, { ...object, metadata: { ...object.metadata, finalizers: left } } as Kinds[K])
  new Deletion(tx).finish(kind, put)
  return put
}
