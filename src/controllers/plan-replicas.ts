import { selects } from '../model/kube/label-selector.ts'
import { controllerOf, isPodLive, isPodReady, podReadySince } from '../model/kube/owner.ts'
import type { ReplicaSetStatus } from '../model/kube/replica-set.ts'
import type { Pod, ReplicaSet } from '../model/kube/stored.ts'
import { kubeTime } from '../model/kube/time.ts'

export interface ReplicaPlan {
  /** Orphans that fit the selector. */
  readonly adopt: readonly Pod[]
  /** Own ones whose labels fit no more. */
  readonly release: readonly Pod[]
  /** How many to make now. */
  readonly create: number
  /** Which to delete now. */
  readonly surplus: readonly Pod[]
  readonly status: ReplicaSetStatus
  /** There is more to make or delete than a transaction should, which keeps all else waiting. */
  readonly hasMore: boolean
  /** When the next pod has been ready for long enough, if nothing happens before. */
  readonly requeueAfterMs?: number
}

/** A pod takes a third of a ms. The cluster's controller has 500, and a process of its own (BurstReplicas). */
const BURST = 20
const FULL_RETRY_MS = 10_000

/**
 * What it takes to have as many live pods as the set asks for (pkg/controller/replicaset).
 * @param pods of its namespace
 * @param room how many pods there may be besides, of anybody
 */
export function planReplicas(set: ReplicaSet, pods: readonly Pod[], room: number, now: number): ReplicaPlan {
  const { metadata, spec, status } = set
  const fits = (pod: Pod) => selects(spec.selector, pod.metadata.labels)
  const own = pods.filter((pod) => controllerOf(pod.metadata)?.uid === metadata.uid)
  const orphans = pods.filter((pod) => controllerOf(pod.metadata) === undefined && isPodLive(pod) && fits(pod))
  const live = [...own.filter((pod) => isPodLive(pod) && fits(pod)), ...orphans]
  const wanted = spec.replicas ?? 1
  const tooMany = Math.min(BURST, Math.max(0, live.length - wanted))
  const surplus = tooMany === 0 ? [] : live.toSorted(byCostOfLoss).slice(0, tooMany)
  const going = new Set(surplus)
  const kept = live.filter((pod) => !going.has(pod))
  const missing = Math.max(0, wanted - live.length)
  const create = Math.min(missing, Math.max(0, room), BURST)
  const isFull = missing > create && create >= room
  const availableInMs = kept.map((pod) => untilAvailable(set, pod, now))
  const soonest = availableInMs.reduce((least, ms) => (ms > 0 ? Math.min(least, ms) : least), Number.POSITIVE_INFINITY)
  const dueInMs = isFull ? Math.min(soonest, FULL_RETRY_MS) : soonest
  const requeueAfterMs = Number.isFinite(dueInMs) ? dueInMs : undefined
  const labels = Object.entries(spec.template.metadata?.labels ?? {})
  return {
    adopt: orphans,
    release: own.filter((pod) => pod.metadata.deletedAt === undefined && !fits(pod)),
    create,
    surplus,
    hasMore: kept.length + create !== wanted && !isFull,
    status: {
      ...status,
      replicas: kept.length + create,
      fullyLabeledReplicas:
        kept.filter((pod) => labels.every(([key, value]) => pod.metadata.labels[key] === value)).length + create,
      readyReplicas: kept.filter(isPodReady).length,
      availableReplicas: availableInMs.filter((ms) => ms <= 0).length,
      observedGeneration: metadata.generation,
      conditions: conditionsOf(set, isFull, now),
    },
    ...(requeueAfterMs !== undefined && { requeueAfterMs }),
  }
}

/** As where a quota is used up. */
function conditionsOf({ status }: ReplicaSet, isFull: boolean, now: number): ReplicaSetStatus['conditions'] {
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure')
  const before = status.conditions?.find(({ type }) => type === 'ReplicaFailure')
  if (!isFull) return others.length === 0 ? undefined : others
  if (before !== undefined) return [...others, before]
  const message = 'there are as many pods as this machine may have'
  const lastTransitionTime = kubeTime(now)
  return [...others, { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message, lastTransitionTime }]
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
