import { posix } from 'node:path'
import type { PodVolumeMount } from '../../containers/index.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import type { Volume } from '../../model/kube/volume.ts'
import { configFault } from './fault.ts'

const PROPAGATION = { None: 'rprivate', HostToContainer: 'rslave', Bidirectional: 'rshared' } as const

/** Where a container has the volumes of its pod. @throws {StatusError} with `details.reason` CreateContainerConfigError */
export function volumeMounts({ volumes = [] }: PodSpec, { volumeMounts = [] }: PodContainer): PodVolumeMount[] {
  return volumeMounts.map(({ name, mountPath, readOnly = false, subPath = '', mountPropagation = 'None' }) => {
    const volume = volumes.find((one) => one.name === name)
    if (volume === undefined) throw configFault(`no volume of the pod is named "${name}"`)
    return {
      volume: volume.hostPath === undefined ? name : { hostPath: volume.hostPath.path },
      destination: posix.resolve('/', mountPath),
      readOnly: readOnly || isWrittenByUs(volume),
      propagation: PROPAGATION[mountPropagation],
      ...(subPath !== '' && { subPath }),
    }
  })
}

/** Nobody else may write to it, as on a cluster: it is made anew whenever its source changes. */
function isWrittenByUs({ configMap, secret }: Volume): boolean {
  return configMap !== undefined || secret !== undefined
}
