import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleImage, exampleMeta } from '../../../test/fixtures/pod-example.ts'
import type { Digest } from '../../model/digest.ts'
import type { Image } from '../../model/image.ts'
import { wireImage, wireImageStatus, wireImageUsage, wireProgress } from './image-convert.ts'

const T0 = Date.UTC(2026, 1, 3, 4, 5, 6, 789)
const digest = `sha256:${'a'.repeat(64)}` as Digest

const example = exampleImage()
const image: Image = {
  ...example,
  metadata: exampleMeta({ name: 'docker.io/library/nginx:latest', createdAt: T0 }),
  spec: {
    ...example.spec,
    repository: 'library/nginx',
    config: { mediaType: 'm', digest, size: 100 },
    layers: [
      { mediaType: 'm', digest, size: 1000 },
      { mediaType: 'm', digest, size: 2000 },
    ],
  },
}

test('wireImage() and its kin: golden', () => {
  assert.deepEqual(wireImage(image), {
    id: digest,
    repository: 'library/nginx',
    reference: 'latest',
    createdAt: '2026-02-03T04:05:06.789Z',
    sizeBytes: 3100,
  })
  const status = { repository: 'r/x', reference: 'y', id: digest, sizeBytes: 1, user: 'root', createdAt: T0 }
  assert.deepEqual(wireImageStatus({ ...status, repoTags: [], repoDigests: [`r/x@${digest}`] }), {
    ...status,
    repoTags: null,
    repoDigests: [`r/x@${digest}`],
    createdAt: '2026-02-03T04:05:06.789Z',
  })
  assert.deepEqual(wireImageUsage({ repository: 'r/x', reference: 'y', usedBytes: 5 }), {
    image: 'r/x:y',
    usedBytes: 5,
  })
  const name = 'docker.io/library/nginx:latest'
  assert.deepEqual(wireProgress({ type: 'done', image }), { type: 'done', image: name })
  const resolved = { type: 'resolved', reference: name, digest } as const
  assert.deepEqual(wireProgress(resolved), resolved)
})
