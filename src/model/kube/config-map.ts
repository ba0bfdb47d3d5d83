import { boolean, map, object, oneOf, optional, string } from '../../lib/schema.ts'
import { type ManifestMeta, objectMeta } from './object-meta.ts'

export const configMap = object({
  apiVersion: oneOf('v1'),
  kind: oneOf('ConfigMap'),
  metadata: objectMeta,
  data: optional(map(string())),
  /** In base64. */
  binaryData: optional(map(string())),
  /** Once true, neither it nor the data can be changed. */
  immutable: optional(boolean()),
})

export interface ConfigMapManifest {
  readonly apiVersion: 'v1'
  readonly kind: 'ConfigMap'
  readonly metadata: ManifestMeta
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
  readonly immutable?: boolean
}
