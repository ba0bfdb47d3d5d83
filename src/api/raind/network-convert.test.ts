import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleMeta } from '../../../test/fixtures/pod-example.ts'
import type { Network } from '../../model/network.ts'
import { toNetworkFilter, wireNetwork } from './network-convert.ts'

test('wireNetwork(): golden, with capital keys', () => {
  const network: Network = {
    metadata: exampleMeta({ name: 'raind0' }),
    spec: { bridge: 'raind0', subnet: '10.166.0.0/20', gateway: '10.166.0.254' },
    status: {},
  }
  assert.deepEqual(wireNetwork(network, 2), {
    Interface: 'raind0',
    Address: '10.166.0.254/20',
    NumContainers: 2,
    Name: 'raind0',
    Subnet: '10.166.0.0/20',
    Labels: {},
  })
})

test('toNetworkFilter() speaks of what is not used', () => {
  const filter = toNetworkFilter({ label: ['!a'], name: ['n'], dangling: true })
  assert.deepEqual(filter, { labels: [{ key: 'a', negated: true }], names: ['n'], unused: true })
})
