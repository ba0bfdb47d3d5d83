import type { KubeManifest } from './kinds.ts'
import type { PodSpec } from './pod.ts'
import { quantityOf } from './quantity.ts'

/** What of a manifest is not honoured because of what is beside it: marks of a schema tell of one field alone. */
export function manifestWarnings(manifest: KubeManifest): readonly string[] {
  switch (manifest.kind) {
    case 'Pod':
      return podWarnings('spec', manifest.spec)
    case 'ReplicaSet':
      return podWarnings('spec.template.spec', manifest.spec.template.spec)
    default:
      return []
  }
}

function podWarnings(path: string, { volumes = [] }: PodSpec): string[] {
  return volumes.flatMap(({ emptyDir = {} }, index) => {
    const { medium, sizeLimit = 0 } = emptyDir
    if (medium === 'Memory' || quantityOf(sizeLimit) === 0) return []
    return [
      `${path}.volumes[${index}].emptyDir.sizeLimit is not honoured: on disk nothing ends a pod that takes more; with "medium": "Memory" it holds`,
    ]
  })
}
