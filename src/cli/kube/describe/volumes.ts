import type { WireVolumeSource } from '../../../api/raind/index.ts'
import { type Field, NONE, outline } from './outline.ts'

/** As a field's value. */
export function volumesOf(volumes: readonly WireVolumeSource[] = []): Field[1] {
  if (volumes.length === 0) return NONE
  return { below: outline(volumes.map((volume) => [volume.name, { below: outline(fieldsOf(volume)) }])) }
}

function fieldsOf({ emptyDir, hostPath, configMap, secret }: WireVolumeSource): Field[] {
  if (hostPath) {
    return [
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', hostPath.path],
      ['HostPathType', hostPath.type ?? ''],
    ]
  }
  if (configMap) {
    return [
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', configMap.name],
      ['Optional', String(configMap.optional ?? false)],
    ]
  }
  if (secret) {
    return [
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', secret.secretName],
      ['Optional', String(secret.optional ?? false)],
    ]
  }
  return [
    ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
    ['Medium', emptyDir?.medium ?? ''],
    ['SizeLimit', String(emptyDir?.sizeLimit ?? '<unset>')],
  ]
}
