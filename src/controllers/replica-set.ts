import { selects } from '../model/kube/label-selector.ts'
import { controllerOf } from '../model/kube/owner.ts'
import type { Pod, ReplicaSet } from '../model/kube/stored.ts'
import { createReplica, deletePod, ownerReference, tellOf } from '../resources/index.ts'
import type { Store, WriteTx } from '../store/index.ts'
import { planReplicas } from './plan-replicas.ts'
import type { Controller } from './types.ts'

/** Keeps as many live pods as `spec.replicas` asks for. Writes objects only: the pod controller runs them. */
export function replicaSetController(store: Store): Controller {
  return {
    name: 'replica-set',
    triggers: { ReplicaSet: ({ metadata }) => metadata.uid, Pod: (pod) => setsConcernedBy(store, pod) },
    // One synchronous transaction: nothing it reads can be stale, and it cannot half happen.
    async reconcile(_ctx, uid) {
      return store.write((tx) => {
        const set = tx.getByUid('ReplicaSet', uid)
        if (set === undefined || set.metadata.deletedAt !== undefined) return undefined
        const pods = tx.list('Pod').filter(({ metadata }) => metadata.namespace === set.metadata.namespace)
        const { adopt, release, missing, surplus, status, requeueAfterMs } = planReplicas(set, pods, Date.now())
        for (const pod of release) withOwners(tx, pod, without(pod, set))
        for (const pod of adopt) withOwners(tx, pod, [...without(pod, set), ownerReference(set)])
        for (let count = 0; count < missing; count++) createReplica(tx, set)
        for (const { metadata } of surplus) {
          deletePod(tx, tx.getByUid('Pod', metadata.uid)!)
          tellOf(tx, 'ReplicaSet', set, 'SuccessfulDelete', `Deleted pod: ${metadata.name}`)
        }
        tx.putStatus('ReplicaSet', uid, status)
        return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
      })
    },
  }
}

/** Its owner, and for an orphan all whose selector it fits. */
function setsConcernedBy(store: Store, { metadata }: Pod): readonly string[] {
  const owner = controllerOf(metadata)
  if (owner !== undefined) return owner.kind === 'ReplicaSet' ? [owner.uid] : []
  const sets = store.read((tx) => tx.list('ReplicaSet'))
  return sets
    .filter((set) => set.metadata.namespace === metadata.namespace && selects(set.spec.selector, metadata.labels))
    .map((set) => set.metadata.uid)
}

function withOwners(tx: WriteTx, { metadata }: Pod, ownerReferences: Pod['metadata']['ownerReferences']): void {
  const pod = tx.getByUid('Pod', metadata.uid)!
  tx.put('Pod', { ...pod, metadata: { ...pod.metadata, ownerReferences } })
}

function without({ metadata }: Pod, set: ReplicaSet) {
  return (metadata.ownerReferences ?? []).filter(({ uid }) => uid !== set.metadata.uid)
}
