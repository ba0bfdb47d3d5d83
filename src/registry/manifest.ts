import { createHash } from 'node:crypto'
import { StatusError } from '../lib/errors.ts'
import { isObject } from '../lib/is-object.ts'
import { type Digest, isDigest } from '../model/digest.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import {
  isConfigType,
  isForeignLayerType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts'

/** What a manifest or an index may weigh (distribution-spec: registries must take 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

export interface IndexEntry extends Descriptor {
  readonly platform?: Platform
  readonly annotations: Readonly<Record<string, string>>
}

/** An OCI index or a Docker manifest list. */
export interface ImageIndex {
  readonly kind: 'index'
  readonly mediaType: string
  readonly entries: readonly IndexEntry[]
}

/** An OCI image manifest or a Docker manifest of schema 2. */
export interface ImageManifest {
  readonly kind: 'manifest'
  readonly mediaType: string
  readonly config: Descriptor
  /** Bottom first. */
  readonly layers: readonly Descriptor[]
}

type Json = Readonly<Record<string, unknown>>

/**
 * Reads an index or a manifest. `mediaType` is what whoever handed it over calls it (a Content-Type, a descriptor);
 * without it the document speaks for itself. What says of itself to be something else is refused.
 *
 * @throws {StatusError} `invalid_argument`
 */
export function parseDocument(bytes: Uint8Array, mediaType?: string): ImageIndex | ImageManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) throw invalid(`it is larger than ${MAX_MANIFEST_BYTES} bytes`)
  const root = parseJson(bytes)
  const type = documentType(root, mediaType)
  if (isIndexType(type)) {
    if ('layers' in root || 'config' in root) throw invalid('it is an index and a manifest at once')
    return { kind: 'index', mediaType: type, entries: list(root, 'manifests').map(parseEntry) }
  }
  if (!isManifestType(type)) throw invalid(`its media type "${type.slice(0, 100)}" is not that of an image`)
  if ('manifests' in root) throw invalid('it is an index and a manifest at once')
  return {
    kind: 'manifest',
    mediaType: type,
    config: parseConfigDescriptor(root['config']),
    layers: list(root, 'layers').map(parseLayer),
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

function documentType(root: Json, handedOverAs: string | undefined): string {
  const own = root['mediaType']
  if (own !== undefined && typeof own !== 'string') throw invalid('mediaType is not a string')
  const said = handedOverAs ?? own
  if ((said !== undefined && isSchema1Type(said)) || (own === undefined && root['schemaVersion'] === 1)) {
    throw invalid(
      'it is in Docker\'s old format "schema 1", which is no longer supported: have it pushed again by a newer tool',
    )
  }
  if (root['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2')
  if (own !== undefined && said !== own) throw invalid(`it calls itself "${own.slice(0, 100)}" but came as "${said}"`)
  return said ?? ('manifests' in root ? OCI_INDEX : OCI_MANIFEST)
}

function parseEntry(value: unknown): IndexEntry {
  const entry = object(value, 'an entry of manifests')
  const platform = entry['platform'] == null ? undefined : parsePlatform(object(entry['platform'], 'platform'))
  const annotations = entry['annotations'] == null ? {} : object(entry['annotations'], 'annotations')
  return {
    ...parseDescriptor(entry),
    ...(platform === undefined ? {} : { platform }),
    annotations: Object.fromEntries(Object.entries(annotations).filter(isText)),
  }
}

function parsePlatform(value: Json): Platform {
  const variant = value['variant'] == null || value['variant'] === '' ? undefined : text(value, 'variant')
  return {
    os: text(value, 'os'),
    architecture: text(value, 'architecture'),
    ...(variant === undefined ? {} : { variant }),
  }
}

function parseConfigDescriptor(value: unknown): Descriptor {
  const descriptor = parseDescriptor(object(value, 'config'))
  if (!isConfigType(descriptor.mediaType)) {
    throw invalid(`it does not hold a container image but "${descriptor.mediaType.slice(0, 100)}"`)
  }
  return descriptor
}

function parseLayer(value: unknown): Descriptor {
  const layer = object(value, 'an entry of layers')
  const descriptor = parseDescriptor(layer)
  const { mediaType } = descriptor
  const urls = layer['urls'] ?? []
  if (isForeignLayerType(mediaType) || !Array.isArray(urls) || urls.length > 0) {
    throw invalid(
      `its layer ${descriptor.digest} is a foreign one, to be fetched from elsewhere: that is not supported`,
    )
  }
  if (!isLayerType(mediaType)) throw invalid(`a layer's media type "${mediaType.slice(0, 100)}" is not known`)
  return descriptor
}

function parseDescriptor(value: Json): Descriptor {
  const mediaType = text(value, 'mediaType')
  const digest = text(value, 'digest')
  const size = value['size']
  if (!isDigest(digest)) throw invalid(`the digest "${digest.slice(0, 100)}" is not sha256: and 64 hex digits`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid('a size is not a number of bytes')
  return { mediaType, digest, size }
}

function parseJson(bytes: Uint8Array): Json {
  try {
    return object(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), 'the document')
  } catch (cause) {
    if (cause instanceof StatusError) throw cause
    throw new StatusError('invalid_argument', 'Invalid image manifest: it is not JSON', { cause })
  }
}

function object(value: unknown, what: string): Json {
  if (!isObject(value)) throw invalid(`${what} is not an object`)
  return value as Json
}

function list(from: Json, key: string): readonly unknown[] {
  const value = from[key]
  if (!Array.isArray(value)) throw invalid(`${key} is not a list`)
  return value
}

function text(from: Json, key: string): string {
  const value = from[key]
  if (typeof value !== 'string') throw invalid(`${key} is not a string`)
  return value
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string'
}

function invalid(why: string): StatusError {
  return new StatusError('invalid_argument', `Invalid image manifest: ${why}`)
}
