import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Digest } from '../../src/model/digest.ts'
import type { Descriptor, Platform } from '../../src/model/image.ts'
import { type TarEntry, tar } from './tar.ts'

export type Compression = 'gzip' | 'zstd' | 'none'

export interface LayerOptions {
  /** The entries, or an archive ready made. */
  readonly content: readonly TarEntry[] | Uint8Array
  readonly compression?: Compression
}

export interface OciImageOptions {
  /** Bottom first. A list of entries is a gzip layer. */
  readonly layers: readonly (readonly TarEntry[] | LayerOptions)[]
  /** OCI image-spec, config.md: `Entrypoint`, `Cmd`, `Env`, `User` ... */
  readonly config?: Readonly<Record<string, unknown>>
  readonly platform?: Platform
  /** Members of the config document besides `config`, in place of the usual ones. */
  readonly document?: Readonly<Record<string, unknown>>
  readonly format?: 'oci' | 'docker'
}

/** An image, or an index of images, as its blobs. */
export interface OciImage {
  /** The manifest or the index. */
  readonly target: Descriptor
  readonly platform: Platform
  /** Manifests and indexes; the target comes last. */
  readonly manifests: ReadonlyMap<Digest, { readonly mediaType: string; readonly bytes: Buffer }>
  /** Configs and layers. */
  readonly blobs: ReadonlyMap<Digest, Buffer>
  /** Of an image: its config and layers, bottom first. */
  readonly config?: Descriptor
  readonly layers: readonly Descriptor[]
  readonly diffIds: readonly string[]
}

const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'
const MEDIA_TYPES = {
  oci: {
    index: `${OCI}.index.v1+json`,
    manifest: `${OCI}.manifest.v1+json`,
    config: `${OCI}.config.v1+json`,
    layer: { gzip: `${OCI}.layer.v1.tar+gzip`, zstd: `${OCI}.layer.v1.tar+zstd`, none: `${OCI}.layer.v1.tar` },
  },
  docker: {
    index: `${DOCKER}.distribution.manifest.list.v2+json`,
    manifest: `${DOCKER}.distribution.manifest.v2+json`,
    config: `${DOCKER}.container.image.v1+json`,
    layer: {
      gzip: `${DOCKER}.image.rootfs.diff.tar.gzip`,
      zstd: `${DOCKER}.image.rootfs.diff.tar.zstd`,
      none: `${DOCKER}.image.rootfs.diff.tar`,
    },
  },
}

const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }

/** Makes an image in memory; the same options give the same digests. */
export function ociImage(options: OciImageOptions): OciImage {
  const types = MEDIA_TYPES[options.format ?? 'oci']
  const platform = options.platform ?? DEFAULT_PLATFORM
  const blobs = new Map<Digest, Buffer>()
  const diffIds: string[] = []
  const layers = options.layers.map((layer) => {
    const { content, compression = 'gzip' } = 'content' in layer ? layer : { content: layer }
    const archive = content instanceof Uint8Array ? Buffer.from(content) : tar(content)
    diffIds.push(digestOf(archive))
    return addBlob(blobs, types.layer[compression], compress(archive, compression))
  })
  const document = {
    created: '2024-01-01T00:00:00Z',
    ...platform,
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created_by: 'test' })),
    ...options.document,
  }
  const config = addBlob(blobs, types.config, json(document))
  const manifest = json({ schemaVersion: 2, mediaType: types.manifest, config, layers })
  const target = describe(types.manifest, manifest)
  const manifests = new Map([[target.digest, { mediaType: types.manifest, bytes: manifest }]])
  return { target, platform, manifests, blobs, config, layers, diffIds }
}

/** An index over images of several platforms, in this order. */
export function ociIndex(images: readonly OciImage[], format: 'oci' | 'docker' = 'oci'): OciImage {
  const mediaType = MEDIA_TYPES[format].index
  const entries = images.map(({ target, platform }) => ({ ...target, platform }))
  const bytes = json({ schemaVersion: 2, mediaType, manifests: entries })
  const target = describe(mediaType, bytes)
  return {
    target,
    platform: DEFAULT_PLATFORM,
    manifests: new Map([...images.flatMap((image) => [...image.manifests]), [target.digest, { mediaType, bytes }]]),
    blobs: new Map(images.flatMap((image) => [...image.blobs])),
    layers: [],
    diffIds: [],
  }
}

/** The files of an OCI image layout (image-layout.md), which may hold several images by name. */
export function layoutFiles(images: Readonly<Record<string, OciImage>>): ReadonlyMap<string, Buffer> {
  const files = new Map([['oci-layout', json({ imageLayoutVersion: '1.0.0' })]])
  const manifests = Object.entries(images).map(([name, { target }]) => ({
    ...target,
    annotations: { 'org.opencontainers.image.ref.name': name },
  }))
  files.set('index.json', json({ schemaVersion: 2, manifests }))
  for (const image of Object.values(images)) {
    for (const [digest, bytes] of image.blobs) files.set(blobPath(digest), bytes)
    for (const [digest, { bytes }] of image.manifests) files.set(blobPath(digest), bytes)
  }
  return files
}

/** Writes a layout to a directory. */
export async function writeLayout(directory: string, images: Readonly<Record<string, OciImage>>): Promise<void> {
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true })
  for (const [path, bytes] of layoutFiles(images)) await writeFile(join(directory, path), bytes)
}

/** A layout as one tar. */
export function layoutTar(images: Readonly<Record<string, OciImage>>): Buffer {
  return tar([
    { path: 'blobs/', type: 'directory' },
    { path: 'blobs/sha256/', type: 'directory' },
    ...[...layoutFiles(images)].map(([path, content]) => ({ path, content })),
  ])
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

function compress(archive: Buffer, compression: Compression): Buffer {
  if (compression === 'none') return archive
  return compression === 'gzip' ? gzipSync(archive) : zstdCompressSync(archive)
}

function addBlob(blobs: Map<Digest, Buffer>, mediaType: string, bytes: Buffer): Descriptor {
  const descriptor = describe(mediaType, bytes)
  blobs.set(descriptor.digest, bytes)
  return descriptor
}

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`
}
