import type { PodContainerStatus, PodStatus } from '../../model/kube/pod-status.ts'
import type { Pod } from '../../model/kube/stored.ts'

export interface StatusEvent {
  readonly reason: string
  readonly message: string
  readonly type: 'Normal' | 'Warning'
  readonly container?: string
}

/** What a pod's new status has that is told: it waits before a container is made anew, or its time is up (kubelet's words). */
export function statusEvents({ metadata, status: before }: Pod, after: PodStatus): StatusEvent[] {
  const { name, namespace, uid } = metadata
  const events: StatusEvent[] = statusesOf(after).flatMap(({ name: container, image, state }) => {
    const reason = state?.waiting?.reason
    const same = statusesOf(before).find((status) => status.name === container)?.state?.waiting?.reason === reason
    if (same) return []
    switch (reason) {
      case 'CrashLoopBackOff': {
        const message = `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`
        return { reason: 'BackOff', message, type: 'Warning', container }
      }
      case 'ImagePullBackOff':
        return { reason: 'BackOff', message: `Back-off pulling image "${image}"`, type: 'Normal', container }
      default:
        return []
    }
  })
  const { reason, message = '' } = after
  if (reason === 'DeadlineExceeded' && before.reason !== reason) events.push({ reason, message, type: 'Normal' })
  return events
}

function statusesOf({ initContainerStatuses = [], containerStatuses = [] }: PodStatus): PodContainerStatus[] {
  return [...initContainerStatuses, ...containerStatuses]
}
