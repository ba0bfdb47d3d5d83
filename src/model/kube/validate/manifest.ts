import type { Fault } from '../../../lib/examine.ts'
import { setDefaults } from '../defaults.ts'
import type { KubeManifest } from '../kinds.ts'
import { configMapFaults, secretFaults } from './data.ts'
import type { Faults } from './fault-if.ts'
import { metadataFaults } from './metadata.ts'
import { podSpecFaults } from './pod.ts'
import { replicaSetFaults } from './replica-set.ts'
import { serviceFaults } from './service.ts'

/**
 * What is wrong with a manifest that has the fields and types of its schema, with or without defaults: what Kubernetes'
 * validation refuses (pkg/apis/core/validation, pkg/apis/apps/validation) of what is honoured here.
 */
export function manifestFaults(manifest: KubeManifest): readonly Fault[] {
  const complete = setDefaults(manifest)
  return [...metadataFaults(manifest), ...kindFaults(complete)]
}

function kindFaults(manifest: KubeManifest): Faults {
  switch (manifest.kind) {
    case 'Pod':
      return podSpecFaults('spec', manifest.spec)
    case 'ReplicaSet':
      return replicaSetFaults('spec', manifest.spec)
    case 'Service':
      return serviceFaults('spec', manifest.spec)
    case 'ConfigMap':
      return configMapFaults(manifest)
    case 'Secret':
      return secretFaults(manifest)
    case 'Namespace':
      return []
  }
}
