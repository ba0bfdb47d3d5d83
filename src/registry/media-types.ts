/** OCI image-spec, media-types.md, and Docker's image manifest version 2, schema 2. */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'

/** Layers by how they are compressed. */
export const OCI_LAYERS = {
  none: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const

const INDEXES = new Set([OCI_INDEX, DOCKER_LIST])
const MANIFESTS = new Set([OCI_MANIFEST, DOCKER_MANIFEST])
const CONFIGS = new Set([OCI_CONFIG, DOCKER_CONFIG])
const LAYERS = new Set<string>([
  ...Object.values(OCI_LAYERS),
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd',
])

/** Everything `parseDocument` understands. */
export const ACCEPTED = [...INDEXES, ...MANIFESTS].join(', ')

export const isIndexType = (mediaType: string): boolean => INDEXES.has(mediaType)
export const isManifestType = (mediaType: string): boolean => MANIFESTS.has(mediaType)
export const isConfigType = (mediaType: string): boolean => CONFIGS.has(mediaType)
export const isLayerType = (mediaType: string): boolean => LAYERS.has(mediaType)

/** Layers that their publisher does not let registries hand out. */
export const isForeignLayerType = (mediaType: string): boolean =>
  mediaType.includes('.nondistributable.') || mediaType.includes('.rootfs.foreign.')

/** Docker's first manifest format, given up in 2020: it cannot be verified layer by layer. */
export const isSchema1Type = (mediaType: string): boolean =>
  mediaType.startsWith('application/vnd.docker.distribution.manifest.v1+')
