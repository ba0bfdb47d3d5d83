import { isDeepStrictEqual } from 'node:util'
import type { Fault } from '../../lib/examine.ts'
import { isObject } from '../../lib/is-object.ts'
import type { ConfigMapManifest } from './config-map.ts'
import type { KubeManifest } from './kinds.ts'
import type { PodSpec } from './pod.ts'
import { type Quantity, quantityOf } from './quantity.ts'
import type { SecretManifest } from './secret.ts'

/** Paths of a pod that may change while it is. */
const MUTABLE_IN_POD = /^spec\.(?:(?:initContainers|containers)\[\d+\]\.image|activeDeadlineSeconds|tolerations\b.*)$/
const QUANTITIES = /\.(?:(?:limits|requests)\..+|sizeLimit|divisor)$/

/**
 * What an update would change that Kubernetes keeps as it is (pkg/apis/core/validation, the Validate...Update
 * functions), each with its path. Both are of one kind and have their defaults.
 */
export function immutableChanges(before: KubeManifest, after: KubeManifest): readonly Fault[] {
  if (before.kind === 'Pod' && after.kind === 'Pod') return podChanges(before.spec, after.spec)
  if (before.kind === 'ReplicaSet' && after.kind === 'ReplicaSet') {
    return differences(before.spec.selector, after.spec.selector, 'spec.selector').map(cannotChange)
  }
  if (before.kind === 'Service' && after.kind === 'Service') {
    const [was, is] = [before.spec.clusterIP, after.spec.clusterIP]
    // An update that names none keeps the one there is.
    return was !== undefined && is !== undefined && was !== is
      ? [{ path: 'spec.clusterIP', problem: `cannot change from ${was} to ${is}` }]
      : []
  }
  if (before.kind === 'ConfigMap' && after.kind === 'ConfigMap') return dataChanges(before, after)
  if (before.kind === 'Secret' && after.kind === 'Secret') {
    const typeChanges = before.type === after.type ? [] : [cannotChange('type')]
    return [...typeChanges, ...dataChanges(before, after)]
  }
  return []
}

function podChanges(before: PodSpec, after: PodSpec): Fault[] {
  const changed = differences(before, after, 'spec').filter((path) => !MUTABLE_IN_POD.test(path))
  const { activeDeadlineSeconds: was } = before
  const { activeDeadlineSeconds: is = Infinity } = after
  const isLater = was !== undefined && is > was
  return [
    ...changed.map(cannotChange),
    ...(isLater ? [{ path: 'spec.activeDeadlineSeconds', problem: `can be set or lowered, but it was ${was}` }] : []),
  ]
}

function dataChanges(before: ConfigMapManifest | SecretManifest, after: ConfigMapManifest | SecretManifest): Fault[] {
  if (before.immutable !== true) return []
  const flag = after.immutable === true ? [] : ['immutable']
  return [...flag, ...differences(dataOf(before), dataOf(after), '')].map((path) => ({
    path,
    problem: `cannot change: the ${before.kind} is immutable`,
  }))
}

function dataOf(manifest: ConfigMapManifest | SecretManifest) {
  return { data: manifest.data, ...(manifest.kind === 'ConfigMap' && { binaryData: manifest.binaryData }) }
}

function cannotChange(path: string): Fault {
  return { path, problem: 'cannot change' }
}

/** The innermost paths at which two values differ; of a list that became longer or shorter its own. */
function differences(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after) || isSameQuantity(before, after, path)) return []
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => differences(item, after[index], `${path}[${index}]`))
  }
  if (!isObject(before) || !isObject(after)) return [path]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`))
}

/** `1` and `1000m` are one. */
function isSameQuantity(before: unknown, after: unknown, path: string): boolean {
  if (!QUANTITIES.test(path) || !isQuantity(before) || !isQuantity(after)) return false
  const value = quantityOf(before)
  return value !== undefined && value === quantityOf(after)
}

function isQuantity(value: unknown): value is Quantity {
  return typeof value === 'string' || typeof value === 'number'
}
