import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import { parseDocument } from './manifest.ts'
import { DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from './media-types.ts'

const digest = `sha256:${'0'.repeat(64)}`
const config = { mediaType: OCI_CONFIG, digest, size: 2 }
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 }
const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] }

const parse = (document: unknown, mediaType?: string) => parseDocument(Buffer.from(JSON.stringify(document)), mediaType)

test('a manifest and an index are read, with and without being told what they are', () => {
  const parsed = { kind: 'manifest', mediaType: OCI_MANIFEST, config, layers: [layer] }
  assert.deepEqual(parse(manifest), parsed)
  assert.deepEqual(parse(manifest, OCI_MANIFEST), parsed)
  assert.deepEqual(parse({ ...manifest, mediaType: undefined }), parsed)
  const entry = {
    mediaType: OCI_MANIFEST,
    digest,
    size: 1,
    platform: { os: 'linux', architecture: 'arm', variant: '' },
  }
  assert.deepEqual(parse({ schemaVersion: 2, manifests: [entry] }), {
    kind: 'index',
    mediaType: OCI_INDEX,
    entries: [{ ...entry, platform: { os: 'linux', architecture: 'arm' }, annotations: {} }],
  })
})

test('what is not an image is refused with its reason', () => {
  const rows: readonly [document: unknown, mediaType: string | undefined, message: RegExp][] = [
    [{ schemaVersion: 1, fsLayers: [] }, undefined, /schema 1/],
    [{ schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws', /schema 1/],
    [manifest, DOCKER_MANIFEST, /calls itself/],
    [{ ...manifest, mediaType: 'application/vnd.example' }, undefined, /not that of an image/],
    [{ ...manifest, manifests: [] }, undefined, /at once/],
    [{ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], layers: [] }, undefined, /at once/],
    [{ ...manifest, config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } }, undefined, /helm/],
    [{ ...manifest, layers: [{ ...layer, urls: ['https://elsewhere.example/'] }] }, undefined, /foreign/],
    [{ ...manifest, layers: [{ ...layer, urls: 'x' }] }, undefined, /foreign/],
    [
      { ...manifest, layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }] },
      undefined,
      /foreign/,
    ],
    [{ ...manifest, layers: [{ ...layer, mediaType: 'text/plain' }] }, undefined, /not known/],
    [{ ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc' }] }, undefined, /digest/],
    [{ ...manifest, layers: [{ ...layer, size: -1 }] }, undefined, /size/],
    [{ ...manifest, layers: [{ ...layer, size: '1' }] }, undefined, /size/],
    [{ ...manifest, layers: null }, undefined, /layers is not a list/],
    [{ ...manifest, schemaVersion: '2' }, undefined, /schemaVersion/],
    [[], undefined, /not an object/],
    [null, undefined, /not an object/],
  ]
  for (const [document, mediaType, message] of rows) {
    assert.throws(() => parse(document, mediaType), { name: 'StatusError', code: 'invalid_argument', message })
  }
  assert.throws(() => parseDocument(Buffer.from('<html>')), { code: 'invalid_argument', message: /not JSON/ })
  assert.throws(() => parseDocument(Buffer.from([0x22, 0xff, 0x22])), { message: /not JSON/ })
  assert.throws(() => parseDocument(Buffer.alloc(4 * 1024 * 1024 + 1, ' ')), { message: /larger/ })
})

test('no document throws anything but a StatusError', () => {
  const keys = fc.constantFrom(
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'platform',
    'urls',
    'size',
  )
  const odd = fc.object({
    key: keys,
    maxDepth: 3,
    values: [fc.constantFrom(2, OCI_INDEX, OCI_MANIFEST, null, digest, [])],
  })
  const changed = fc.tuple(keys, fc.jsonValue()).map(([key, value]) => ({ ...manifest, [key]: value }))
  fc.assert(
    fc.property(fc.oneof(odd, changed, fc.jsonValue()), (document) => {
      try {
        parse(document)
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 'invalid_argument', String(error))
      }
    }),
  )
})
