import { selects } from '../model/kube/label-selector.ts'
import { controllerOf, isPodLive, isPodReady, podReadySince } from '../model/kube/owner.ts'
import type { ReplicaSetStatus } from '../model/kube/replica-set.ts'
import type { Pod, ReplicaSet } from '../model/kube/stored.ts'

export interface ReplicaPlan {
  /** Orphans that fit the selector. */
  readonly adopt: readonly Pod[]
  /** Own ones whose labels fit no more. */
  readonly release: readonly Pod[]
  readonly missing: number
  readonly surplus: readonly Pod[]
  readonly status: ReplicaSetStatus
  /** When the next pod has been ready for long enough, if nothing happens before. */
  readonly requeueAfterMs?: number
}

/** What it takes to have as many live pods as the set asks for (pkg/controller/replicaset). `pods`: of its namespace. */
export function planReplicas(set: ReplicaSet, pods: readonly Pod[], now: number): ReplicaPlan {
  const { metadata, spec, status } = set
  const fits = (pod: Pod) => selects(spec.selector, pod.metadata.labels)
  const own = pods.filter((pod) => controllerOf(pod.metadata)?.uid === metadata.uid)
  const orphans = pods.filter((pod) => controllerOf(pod.metadata) === undefined && isPodLive(pod) && fits(pod))
  const live = [...own.filter((pod) => isPodLive(pod) && fits(pod)), ...orphans]
  const wanted = spec.replicas ?? 1
  const surplus = live.toSorted(byCostOfLoss).slice(0, Math.max(0, live.length - wanted))
  const kept = live.filter((pod) => !surplus.includes(pod))
  const missing = Math.max(0, wanted - live.length)
  const availableInMs = kept.map((pod) => untilAvailable(set, pod, now))
  const soonest = Math.min(...availableInMs.filter((ms) => ms > 0))
  const labels = Object.entries(spec.template.metadata?.labels ?? {})
  return {
    adopt: orphans,
    release: own.filter((pod) => pod.metadata.deletedAt === undefined && !fits(pod)),
    missing,
    surplus,
    status: {
      ...status,
      replicas: kept.length + missing,
      fullyLabeledReplicas:
        kept.filter((pod) => labels.every(([key, value]) => pod.metadata.labels[key] === value)).length + missing,
      readyReplicas: kept.filter(isPodReady).length,
      availableReplicas: availableInMs.filter((ms) => ms <= 0).length,
      observedGeneration: metadata.generation,
    },
    ...(Number.isFinite(soonest) && { requeueAfterMs: soonest }),
  }
}

/** ms; Infinity for one that is not ready. */
function untilAvailable({ spec }: ReplicaSet, pod: Pod, now: number): number {
  const since = podReadySince(pod)
  return since === undefined ? Number.POSITIVE_INFINITY : since + (spec.minReadySeconds ?? 0) * 1000 - now
}

/** Those that hurt least to lose come first (ActivePodsWithRanks in pkg/controller/controller_utils.go). */
function byCostOfLoss(a: Pod, b: Pod): number {
  return (
    phaseRank(a) - phaseRank(b) ||
    Number(isPodReady(a)) - Number(isPodReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    (podReadySince(b) ?? 0) - (podReadySince(a) ?? 0) ||
    restarts(b) - restarts(a) ||
    b.metadata.createdAt - a.metadata.createdAt
  )
}

function phaseRank({ status }: Pod): number {
  return status.phase === 'Running' ? 1 : 0
}

/** Users may say what a pod is worth to them. */
function deletionCost({ metadata }: Pod): number {
  const cost = Number(metadata.annotations['controller.kubernetes.io/pod-deletion-cost'] ?? 0)
  return Number.isInteger(cost) ? cost : 0
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount }) => restartCount))
}
