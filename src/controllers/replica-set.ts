import { selects } from '../model/kube/label-selector.ts'
import { controllerOf } from '../model/kube/owner.ts'
import type { Pod, ReplicaSet } from '../model/kube/stored.ts'
import { createReplica, deletePod, ownerReference, tellOf } from '../resources/index.ts'
import type { Store, WriteTx } from '../store/index.ts'
import { planReplicas, type ReplicaPlan } from './plan-replicas.ts'
import type { Controller } from './types.ts'

/** Of all sets and all others. A node of a large cluster has 500; with no end to them the store would take all memory. */
const MAX_PODS = 1000

/** Keeps as many live pods as `spec.replicas` asks for. Writes objects only: the pod controller runs them. */
export function replicaSetController(store: Store): Controller {
  return {
    name: 'replica-set',
    triggers: { ReplicaSet: ({ metadata }) => metadata.uid, Pod: (pod) => setsConcernedBy(store, pod) },
    async reconcile(_ctx, uid) {
      const { hasMore, requeueAfterMs } = store.write((tx) => reconcileOnce(tx, uid))
      if (hasMore) return { requeueAfterMs: 0 }
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
    },
  }
}

/** In one synchronous transaction: nothing it reads can be stale, and it cannot half happen. */
function reconcileOnce(tx: WriteTx, uid: string): Pick<ReplicaPlan, 'hasMore' | 'requeueAfterMs'> {
  const set = tx.getByUid('ReplicaSet', uid)
  if (set === undefined || set.metadata.deletedAt !== undefined) return { hasMore: false }
  const all = tx.list('Pod')
  const pods = all.filter(({ metadata }) => metadata.namespace === set.metadata.namespace)
  const plan = planReplicas(set, pods, MAX_PODS - all.length, Date.now())
  for (const pod of plan.release) withOwners(tx, pod, without(pod, set))
  for (const pod of plan.adopt) withOwners(tx, pod, [...without(pod, set), ownerReference(set)])
  for (let count = 0; count < plan.create; count++) createReplica(tx, set)
  for (const { metadata } of plan.surplus) {
    deletePod(tx, tx.getByUid('Pod', metadata.uid)!)
    tellOf(tx, 'ReplicaSet', set, 'SuccessfulDelete', `Deleted pod: ${metadata.name}`)
  }
  if (plan.status.conditions !== undefined && set.status.conditions === undefined) {
    const [{ reason = '', message = '' } = {}] = plan.status.conditions
    tellOf(tx, 'ReplicaSet', set, reason, `Error creating: ${message}`, { type: 'Warning' })
  }
  tx.putStatus('ReplicaSet', uid, plan.status)
  return plan
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
