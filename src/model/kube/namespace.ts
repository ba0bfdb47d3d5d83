import { anything, dropped, object, oneOf, optional } from '../../lib/schema.ts'
import { type ManifestMeta, objectMeta } from './object-meta.ts'

export const namespace = object({
  apiVersion: oneOf('v1'),
  kind: oneOf('Namespace'),
  metadata: objectMeta,
  spec: optional(anything(), dropped('the daemon sets it')),
  status: optional(anything(), dropped('the daemon sets it')),
})

export interface NamespaceManifest {
  readonly apiVersion: 'v1'
  readonly kind: 'Namespace'
  readonly metadata: ManifestMeta
}

export interface NamespaceStatus {
  readonly phase: 'Active' | 'Terminating'
}
