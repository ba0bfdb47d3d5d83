import { StatusError } from '../lib/errors.ts'
import type { Kinds } from '../model/kinds.ts'
import { KUBE_KINDS, type KubeKind } from '../model/kube/kinds.ts'
import { DEFAULT_NAMESPACE } from '../model/meta.ts'
import type { ReadTx } from '../store/index.ts'
import type { ObjectName } from './types.ts'

/** By name in its namespace, or by uid. @throws {StatusError} `not_found` */
export function findObject<K extends KubeKind>(tx: ReadTx, kind: K, ref: string, namespace?: string): Kinds[K] {
  const place = KUBE_KINDS[kind].namespaced ? (namespace ?? DEFAULT_NAMESPACE) : ''
  const object = tx.get(kind, ref, place) ?? tx.getByUid(kind, ref)
  if (object === undefined) throw missing(kind, ref, place)
  return object
}

export function missing(kind: KubeKind, name: string, namespace: string): StatusError {
  const where = namespace === '' ? '' : ` in namespace "${namespace}"`
  return new StatusError('not_found', `${kind.toLowerCase()} not found: there is no "${name.slice(0, 300)}"${where}`)
}

export function nameOf(kind: KubeKind, { metadata }: Kinds[KubeKind]): ObjectName {
  const { name, namespace, uid } = metadata
  return { kind, name, namespace, uid }
}
