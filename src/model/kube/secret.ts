import { boolean, map, object, oneOf, optional, string } from '../../lib/schema.ts'
import { type ManifestMeta, objectMeta } from './object-meta.ts'

export const secret = object({
  apiVersion: oneOf('v1'),
  kind: oneOf('Secret'),
  metadata: objectMeta,
  /** In base64. */
  data: optional(map(string())),
  /** In plain text; put into `data`, where it wins. */
  stringData: optional(map(string())),
  type: optional(string()),
  /** Once true, neither it nor the data can be changed. */
  immutable: optional(boolean()),
})

export interface SecretManifest {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: ManifestMeta
  readonly data?: Readonly<Record<string, string>>
  /** Defaulting moves it into `data`. */
  readonly stringData?: Readonly<Record<string, string>>
  readonly type?: string
  readonly immutable?: boolean
}
