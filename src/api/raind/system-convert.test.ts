import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleMeta } from '../../../test/fixtures/pod-example.ts'
import { PLAIN_CONTAINER } from '../../../test/support/container-spec.ts'
import type { Container, ContainerStatus } from '../../model/container.ts'
import type { Digest } from '../../model/digest.ts'
import type { Image } from '../../model/image.ts'
import type { Volume } from '../../model/volume.ts'
import { countStates, wireDiskUsage } from './system-convert.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const RUNNING = { restartCount: 0, preparedAt: 1, pid: 5, startedAt: 2 }
const STOPPED = { restartCount: 0, preparedAt: 1, finishedAt: 3 }

function container(name: string, status: ContainerStatus): Container {
  const uid = Buffer.from(name).toString('hex').padEnd(64, '0')
  return { metadata: exampleMeta({ name, uid }), spec: { ...PLAIN_CONTAINER, imageId: digest }, status }
}

const volume = (name: string): Volume => ({
  metadata: container(name, STOPPED).metadata,
  spec: { driver: 'local', anonymous: false },
  status: {},
})

test('countStates() counts what there is', () => {
  assert.deepEqual(countStates([]), { total: 0 })
  const all = [container('a', RUNNING), container('b', STOPPED), container('c', STOPPED)]
  assert.deepEqual(countStates(all), { total: 3, running: 1, stopped: 2 })
})

test('wireDiskUsage() keeps apart what could be given back', () => {
  const spec = { config: { digest, mediaType: '', size: 1 }, repository: 'app', reference: '1' }
  const image = { metadata: container('i', STOPPED).metadata, spec, status: {} } as unknown as Image
  const usage = wireDiskUsage(
    {
      images: [{ image, usedBytes: 700, inUse: true }],
      layers: { total: 4, active: 3, usedBytes: 900, reclaimableBytes: 200 },
      blobs: { total: 6, active: 5, usedBytes: 60, reclaimableBytes: 10 },
    },
    [
      { container: container('a', RUNNING), writableBytes: 4096, logBytes: 100 },
      { container: container('b', STOPPED), writableBytes: 8192, logBytes: 30 },
      { container: container('c', STOPPED), writableBytes: 0, logBytes: 0 },
    ],
    [
      { volume: volume('data'), mountPoint: '/v', containers: ['a'], usedBytes: 40 },
      { volume: volume('old'), mountPoint: '/w', containers: [], usedBytes: 5 },
    ],
  )
  assert.deepEqual(usage, {
    images: {
      total: 1,
      active: 1,
      sizeBytes: 900,
      reclaimableBytes: 200,
      items: [{ id: digest, repository: 'library/app', reference: '1', sizeBytes: 700, inUse: true }],
    },
    containers: {
      total: 3,
      active: 1,
      sizeBytes: 12_288,
      reclaimableBytes: 8192,
      items: [
        { containerId: '610000000000', name: 'a', state: 'running', sizeBytes: 4096, logBytes: 100 },
        { containerId: '620000000000', name: 'b', state: 'stopped', sizeBytes: 8192, logBytes: 30 },
        { containerId: '630000000000', name: 'c', state: 'stopped', sizeBytes: 0, logBytes: 0 },
      ],
    },
    volumes: {
      total: 2,
      active: 1,
      sizeBytes: 45,
      reclaimableBytes: 5,
      items: [
        { name: 'data', sizeBytes: 40, containers: 1 },
        { name: 'old', sizeBytes: 5, containers: 0 },
      ],
    },
    blobs: { total: 6, active: 5, sizeBytes: 60, reclaimableBytes: 10 },
    logs: { total: 2, active: 1, sizeBytes: 130, reclaimableBytes: 30 },
  })
})
