import type { Container } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import { containerInPod } from '../../model/kube/pod-run.ts'
import type { Pod } from '../../model/kube/stored.ts'
import type { Sandbox } from '../../model/network.ts'

/** What probes and lifecycle handlers of a container are run on. */
export interface ProbeTarget {
  readonly containerId: string
  /** The pod's; undefined if it has none. */
  readonly address: string | undefined
  readonly ports: NonNullable<PodContainer['ports']>
}

export function probeTarget(pod: Pod, container: Container, sandbox: Sandbox | undefined): ProbeTarget {
  return {
    containerId: container.metadata.uid,
    address: sandbox && addressOf(pod, sandbox),
    ports: containerInPod(pod, container)?.ports ?? [],
  }
}

/** In the host's network the pod's address is the host's own. */
function addressOf({ status }: Pod, { spec }: Sandbox): string | undefined {
  if (spec.networkMode === 'host') return status.podIP ?? '127.0.0.1'
  return spec.attachments[0]?.addresses[0]?.split('/')[0]
}
