import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleMeta } from '../../../test/fixtures/pod-example.ts'
import type { VolumeView } from '../../containers/index.ts'
import { toVolumeFilter, wireVolume } from './volume-convert.ts'

const view: VolumeView = {
  volume: {
    metadata: exampleMeta({ name: 'data', labels: { tier: 'db' }, createdAt: Date.UTC(2024, 0, 2, 3, 4, 5) }),
    spec: { driver: 'local', anonymous: false },
    status: {},
  },
  mountPoint: '/var/lib/condenser/volumes/data/_data',
  containers: [],
}

test('a volume on the wire', () => {
  assert.deepEqual(wireVolume(view), {
    name: 'data',
    driver: 'local',
    mountPoint: '/var/lib/condenser/volumes/data/_data',
    createdAt: '2024-01-02T03:04:05.000Z',
    labels: { tier: 'db' },
    anonymous: false,
    containers: null,
  })
  assert.deepEqual(wireVolume({ ...view, containers: ['web'] }).containers, ['web'])
})

test('the filter of a list', () => {
  assert.deepEqual(toVolumeFilter({}), {})
  assert.deepEqual(toVolumeFilter({ dangling: false, label: ['a=b=c', '!d'], name: ['x'], driver: 'local' }), {
    dangling: false,
    labels: [
      { key: 'a', value: 'b=c', negated: false },
      { key: 'd', negated: true },
    ],
    names: ['x'],
  })
})
