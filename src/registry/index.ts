/**
 * Names of images, and how they are fetched and pushed: the client's side of the OCI distribution protocol.
 *
 * Guarantees: a manifest is verified against its digest before it is believed; credentials go to the registry they
 * are for and to its own token server, nowhere else, and are never stored or logged; every answer has a limit on its
 * size and every wait one on its time; nothing but a StatusError is thrown. Blobs are streams: who stores them
 * verifies them.
 */
export { createRegistryClient } from './client.ts'
export { type ImageIndex, type ImageManifest, MAX_MANIFEST_BYTES, parseDocument } from './manifest.ts'
export { OCI_CONFIG, OCI_INDEX, OCI_LAYERS, OCI_MANIFEST } from './media-types.ts'
export { completePlatform, formatPlatform, selectPlatform } from './platform.ts'
export { pullSecretAuth } from './pull-secret-auth.ts'
export { formatImageReference, type ImageReference, parseImageReference, wireNames } from './reference.ts'
export type {
  BlobSource,
  Document,
  Pushed,
  RegistryAuth,
  RegistryClient,
  RegistryConfig,
  ResolvedImage,
} from './types.ts'
