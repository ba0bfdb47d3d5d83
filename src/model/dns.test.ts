import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterDns } from './dns.ts'

test('a pod looks names up in its namespace first, then among all Services, then in the cluster', () => {
  assert.deepEqual(clusterDns('shop'), {
    search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    options: ['ndots:5'],
  })
})
