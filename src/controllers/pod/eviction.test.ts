import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '../../model/kube/pod.ts'
import { volumeLimits } from './eviction.ts'

const limitsOf = (volumes: PodSpec['volumes']) =>
  volumeLimits({ spec: { containers: [], ...(volumes && { volumes }) } })

test('volumeLimits() are those of volumes on disk that name one', () => {
  assert.deepEqual(limitsOf(undefined), [])
  const volumes: PodSpec['volumes'] = [
    { name: 'host', hostPath: { path: '/' } },
    { name: 'free', emptyDir: {} },
    { name: 'none', emptyDir: { sizeLimit: 0 } },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'disk', emptyDir: { sizeLimit: '1.5Ki' } },
  ]
  assert.deepEqual(limitsOf(volumes), [{ name: 'disk', text: '1.5Ki', bytes: 1536 }])
})
