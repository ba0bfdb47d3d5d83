import type { PodContainers } from '../../containers/index.ts'
import { isPodLive } from '../../model/kube/owner.ts'
import { EVICTED, EVICTION, evictionOf } from '../../model/kube/pod-run.ts'
import { quantityOf } from '../../model/kube/quantity.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { kubeTime } from '../../model/kube/time.ts'
import { tellOf } from '../../resources/index.ts'
import type { Store } from '../../store/index.ts'
import type { Controller } from '../types.ts'

interface VolumeLimit {
  readonly name: string
  /** As the manifest has it. */
  readonly text: string
  readonly bytes: number
}

/** kubelet's: nothing tells of it when a directory has grown. Only pods with such a limit are looked at. */
const LOOK_EVERY_MS = 10_000

/** Evicts pods whose volumes on disk hold more than they may (kubelet's emptyDirLimitEviction). */
export function evictionController(store: Store, pods: Pick<PodContainers, 'measureVolume'>): Controller {
  return {
    name: 'eviction',
    triggers: { Pod: (pod) => (volumeLimits(pod).length > 0 ? pod.metadata.uid : undefined) },
    async reconcile(ctx, uid) {
      const pod = store.read((tx) => tx.getByUid('Pod', uid))
      if (pod === undefined || !mayGrow(pod)) return undefined
      for (const limit of volumeLimits(pod)) {
        if ((await pods.measureVolume(ctx, uid, limit.name)) <= limit.bytes) continue
        evict(store, uid, `Usage of EmptyDir volume "${limit.name}" exceeds the limit "${limit.text}".`)
        return undefined
      }
      return { requeueAfterMs: LOOK_EVERY_MS }
    },
  }
}

/** Of its volumes on disk. */
export function volumeLimits({ spec }: Pick<Pod, 'spec'>): VolumeLimit[] {
  return (spec.volumes ?? []).flatMap(({ name, emptyDir }) => {
    if (emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory') return []
    const bytes = quantityOf(emptyDir.sizeLimit) ?? 0
    return bytes > 0 ? [{ name, text: String(emptyDir.sizeLimit), bytes }] : []
  })
}

function mayGrow(pod: Pod): boolean {
  return isPodLive(pod) && !pod.spec.stopped && evictionOf(pod) === undefined
}

/** The pod controller has its containers end, and then the pod has failed. */
function evict(store: Store, uid: string, message: string): void {
  store.write((tx) => {
    const pod = tx.getByUid('Pod', uid)
    if (pod === undefined || !mayGrow(pod)) return
    const condition = { ...EVICTION, message, lastTransitionTime: kubeTime(Date.now()) }
    tx.putStatus('Pod', uid, { conditions: [...(pod.status.conditions ?? []), condition] })
    tellOf(tx, 'Pod', pod, EVICTED, message, { type: 'Warning' })
  })
}
