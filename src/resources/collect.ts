import type { KubeKind } from '../model/kube/kinds.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import { Deletion, FOREGROUND, isPermanent } from './delete.ts'
import { isPresent } from './dependents.ts'
import { tellOf } from './tell.ts'

/** Whether `collect` would have something to do. */
export function isGarbage(tx: ReadTx, kind: KubeKind, uid: string): boolean {
  const object = tx.getByUid(kind, uid)
  if (object === undefined) return false
  const { metadata } = object
  const { ownerReferences = [], finalizers = [], deletedAt } = metadata
  if (deletedAt !== undefined) return finalizers.includes(FOREGROUND)
  if (ownerReferences.length === 0 || isPermanent(kind, metadata)) return false
  return ownerReferences.every((owner) => !isPresent(tx, metadata, owner))
}

/**
 * Has an object go of whose owners none is there (any more), and takes one away that has waited for what it owns
 * (pkg/controller/garbagecollector).
 */
export function collect(tx: WriteTx, kind: KubeKind, uid: string): void {
  const object = tx.getByUid(kind, uid)
  if (object === undefined || !isGarbage(tx, kind, uid)) return
  const deletion = new Deletion(tx)
  if (object.metadata.deletedAt !== undefined) {
    deletion.finishForeground(kind, uid)
    return
  }
  const owners = object.metadata.ownerReferences!.map((owner) => `${owner.kind} "${owner.name}"`).join(', ')
  tellOf(tx, kind, object, 'OwnerGone', `It is deleted, as its owner is not there: ${owners}`, { type: 'Warning' })
  deletion.delete(kind, object)
}
