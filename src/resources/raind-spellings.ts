/** What only manifests for the original of Raind say: made into what Kubernetes has, each with a warning. */
import { isObject } from '../lib/is-object.ts'
import { KUBE_KINDS, type KubeKind } from '../model/kube/kinds.ts'
import { type Converted, changePodSpec, type Json } from './change-pod-spec.ts'

/**
 * An `apiVersion` that is not there is that of the kind, `mount: ["src:dst"]` of a container becomes a hostPath volume, a
 * ReplicaSet without a selector gets the labels of its template, and, unless `zeroReplicas`, 0 replicas are 1 (contract, 7.3).
 */
export function fromRaindSpellings(value: unknown, options: { readonly zeroReplicas: boolean }): Converted {
  const versioned = withApiVersion(value)
  const set = ofReplicaSet(versioned.value, options)
  const mounted = changePodSpec(set.value, fromMounts)
  return { value: mounted.value, warnings: [...versioned.warnings, ...set.warnings, ...mounted.warnings] }
}

function withApiVersion(value: unknown): Converted {
  const { kind, apiVersion = null } = isObject(value) ? value : {}
  if (apiVersion !== null || typeof kind !== 'string' || !Object.hasOwn(KUBE_KINDS, kind)) {
    return { value, warnings: [] }
  }
  const own = KUBE_KINDS[kind as KubeKind].apiVersion
  return {
    value: { ...(value as Json), apiVersion: own },
    warnings: [`apiVersion is missing: ${own} is taken`],
  }
}

function ofReplicaSet(value: unknown, { zeroReplicas }: { readonly zeroReplicas: boolean }): Converted {
  if (!isObject(value) || value['kind'] !== 'ReplicaSet' || !isObject(value['spec'])) return { value, warnings: [] }
  const warnings: string[] = []
  let spec = value['spec']
  const template = isObject(spec['template']) ? spec['template'] : {}
  if (spec['selector'] === undefined && isObject(template['metadata']) && isObject(template['metadata']['labels'])) {
    warnings.push('spec.selector is missing: the labels of the template are taken')
    spec = { ...spec, selector: { matchLabels: template['metadata']['labels'] } }
  }
  if (spec['replicas'] === 0 && !zeroReplicas) {
    warnings.push('spec.replicas is 0 and taken as 1, as Raind has it: scale the set to 0 instead')
    spec = { ...spec, replicas: 1 }
  }
  return { value: { ...value, spec }, warnings }
}

function fromMounts(spec: Json, path: string): { readonly spec: Json; readonly warnings: string[] } {
  const containers = spec['containers']
  if (!Array.isArray(containers)) return { spec, warnings: [] }
  const warnings: string[] = []
  const volumes: Json[] = []
  const converted = containers.map((container: unknown, index) => {
    if (!isObject(container) || !Array.isArray(container['mount'])) return container
    const { mount, ...rest } = container
    warnings.push(`${path}.containers[${index}].mount is Raind's own: taken as hostPath volumes`)
    const mounts = (mount as unknown[]).map((text) => {
      const [source = '', destination = '', options = ''] = String(text).split(':')
      const name = `mount-${volumes.length + 1}`
      volumes.push({ name, hostPath: { path: source } })
      return { name, mountPath: destination, ...(options.split(',').includes('ro') && { readOnly: true }) }
    })
    const own = Array.isArray(rest['volumeMounts']) ? rest['volumeMounts'] : []
    return { ...rest, volumeMounts: [...own, ...mounts] }
  })
  if (volumes.length === 0) return { spec, warnings }
  const own = Array.isArray(spec['volumes']) ? spec['volumes'] : []
  return { spec: { ...spec, containers: converted, volumes: [...own, ...volumes] }, warnings }
}
