import type { Containers } from '../../containers/index.ts'
import type { Images } from '../../images/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { limiter } from '../../lib/limiter.ts'
import type { Pod } from '../../model/kube/stored.ts'
import type { Store } from '../../store/index.ts'
import type { Controller } from '../types.ts'
import { PodMemory } from './memory.ts'
import { graceOf } from './plan.ts'
import { syncPod } from './sync.ts'

export interface PodDeps {
  readonly store: Store
  readonly images: Images
  readonly containers: Containers
  /** The context that what changes the machine runs in: what has begun is finished. */
  readonly daemon: Ctx
  /** The host's own address, for the status of pods. */
  readonly hostIp: () => string | undefined
}

/** Pods wait, for images and for their ends: one that waits must not keep another. */
const PODS_AT_ONCE = 1000
/** Sandboxes and containers that are made at once. */
const STARTS_AT_ONCE = 8

/** Has the containers run that pods ask for, and writes the pods' status. */
export function podController(deps: PodDeps): Controller {
  const memories = new Map<string, PodMemory>()
  const memoryOf = (uid: string) => memories.getOrInsertComputed(uid, () => new PodMemory())
  const place = limiter(STARTS_AT_ONCE)
  /** The pods that what they wait for, or have mounted, may be. */
  const usersOf = ({ metadata }: { readonly metadata: Pod['metadata'] }) =>
    deps.store
      // All of them are in memory, those of a namespace are not.
      .read((tx) => tx.list('Pod'))
      .filter((pod) => pod.metadata.namespace === metadata.namespace)
      .filter((pod) => usesFiles(pod) || memories.get(pod.metadata.uid)?.holds().size)
      .map((pod) => {
        memoryOf(pod.metadata.uid).retry()
        return pod.metadata.uid
      })
  return {
    name: 'pod',
    concurrency: PODS_AT_ONCE,
    triggers: {
      Pod: (pod) => {
        const { metadata, spec } = pod
        if (metadata.deletedAt !== undefined || spec.stopped) memories.get(metadata.uid)?.interrupt(graceOf(pod))
        memories.get(metadata.uid)?.releaseChanged(spec)
        return metadata.uid
      },
      Container: ({ metadata }) => (metadata.owner?.kind === 'Pod' ? metadata.owner.uid : undefined),
      ConfigMap: usersOf,
      Secret: usersOf,
      // What keeps a pod from its sandbox may have been a port of the host.
      PortLease: () => [...memories].flatMap(([uid, { waiting }]) => (waiting === undefined ? [] : [uid])),
    },
    async reconcile(ctx, uid) {
      const requeue = await syncPod(ctx, { ...deps, place }, uid, memoryOf(uid))
      if (requeue === 'gone') {
        memories.delete(uid)
        return undefined
      }
      return requeue
    },
  }
}

function usesFiles({ spec }: Pod): boolean {
  return (spec.volumes ?? []).some(({ configMap, secret }) => configMap !== undefined || secret !== undefined)
}
