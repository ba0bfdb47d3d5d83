import type { KubeKind, KubeManifest } from '../kinds.ts'
import type { LabelSelector } from '../label-selector.ts'
import {
  dns1035LabelProblem,
  dnsLabelProblem,
  dnsSubdomainProblem,
  labelValueProblem,
  qualifiedNameProblem,
} from '../names.ts'
import type { ManifestMeta, OwnerReference } from '../object-meta.ts'
import { type Faults, faultIf } from './fault-if.ts'

type Texts = Readonly<Record<string, string>>

const NAME_PROBLEM: Readonly<Record<KubeKind, (name: string) => string | undefined>> = {
  Pod: dnsSubdomainProblem,
  ReplicaSet: dnsSubdomainProblem,
  Service: dns1035LabelProblem,
  ConfigMap: dnsSubdomainProblem,
  Secret: dnsSubdomainProblem,
  Namespace: dnsLabelProblem,
}
const MAX_ANNOTATION_BYTES = 256 * 1024

/** Of an object's own metadata. */
export function* metadataFaults({ kind, metadata }: KubeManifest): Faults {
  const { name, generateName, namespace, ownerReferences = [], finalizers = [] } = metadata
  if (name !== undefined) yield* faultIf('metadata.name', NAME_PROBLEM[kind](name))
  else if (generateName === undefined) yield { path: 'metadata.name', problem: 'is missing' }
  // The end of a prefix is not the end of the name.
  else yield* faultIf('metadata.generateName', NAME_PROBLEM[kind](generateName.replace(/[-.]$/, 'x')))
  if (kind === 'Namespace') yield* faultIf('metadata.namespace', namespace && 'must be absent: a Namespace is in none')
  else if (namespace !== undefined) yield* faultIf('metadata.namespace', dnsLabelProblem(namespace))
  yield* labelAndAnnotationFaults('metadata', metadata)
  yield* ownerFaults(ownerReferences)
  for (const [index, finalizer] of finalizers.entries()) {
    yield* faultIf(`metadata.finalizers[${index}]`, qualifiedNameProblem(finalizer))
  }
}

export function* labelAndAnnotationFaults(path: string, { labels = {}, annotations = {} }: ManifestMeta): Faults {
  yield* labelFaults(`${path}.labels`, labels)
  for (const key of Object.keys(annotations)) {
    yield* faultIf(`${path}.annotations.${key}`, keyProblem(key.toLowerCase()))
  }
  const bytes = Object.entries(annotations).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
  yield* faultIf(`${path}.annotations`, bytes > MAX_ANNOTATION_BYTES && 'may have at most 256 KiB together')
}

export function* labelFaults(path: string, labels: Texts): Faults {
  for (const [key, value] of Object.entries(labels)) {
    yield* faultIf(`${path}.${key}`, keyProblem(key))
    yield* faultIf(`${path}.${key}`, labelValueProblem(value))
  }
}

export function* selectorFaults(path: string, { matchLabels = {}, matchExpressions = [] }: LabelSelector): Faults {
  yield* labelFaults(`${path}.matchLabels`, matchLabels)
  for (const [index, { key, operator, values = [] }] of matchExpressions.entries()) {
    const at = `${path}.matchExpressions[${index}]`
    const wantsValues = operator === 'In' || operator === 'NotIn'
    yield* faultIf(`${at}.key`, qualifiedNameProblem(key))
    yield* faultIf(`${at}.values`, wantsValues && values.length === 0 && `must not be empty with ${operator}`)
    yield* faultIf(`${at}.values`, !wantsValues && values.length > 0 && `must be absent with ${operator}`)
    for (const [place, value] of values.entries()) yield* faultIf(`${at}.values[${place}]`, labelValueProblem(value))
  }
}

function* ownerFaults(owners: readonly OwnerReference[]): Faults {
  for (const [index, owner] of owners.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      yield* faultIf(`metadata.ownerReferences[${index}].${field}`, owner[field] === '' && 'must not be empty')
    }
  }
  const controllers = owners.filter(({ controller }) => controller === true)
  yield* faultIf('metadata.ownerReferences', controllers.length > 1 && 'may have only one with "controller": true')
}

function keyProblem(key: string): string | undefined {
  const problem = qualifiedNameProblem(key)
  return problem && `has an invalid key: it ${problem}`
}
