import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedTargets } from './service-flows.ts'
import type { ServiceRule } from './service-rule.ts'

const dns: ServiceRule = {
  uid: 'dns',
  namespace: 'default',
  name: 'dns',
  portName: '',
  protocol: 'udp',
  clusterIp: '10.96.0.10',
  port: 53,
  nodePort: 30053,
  endpoints: [
    { address: '10.166.0.2', port: 5353 },
    { address: '10.166.0.1', port: 5353 },
  ],
}
const endpoints = ['10.166.0.1:5353', '10.166.0.2:5353']

test('flows may be stale wherever a Service takes UDP and has other endpoints than before', () => {
  const before = [{ ...dns, endpoints: dns.endpoints.slice(1) }]
  const targets = [
    { address: '10.96.0.10', port: 53, endpoints },
    { port: 30053, endpoints },
  ]
  assert.deepEqual(changedTargets(before, [dns]), targets)
  assert.deepEqual(changedTargets([], [dns]), targets)
})

test('of a Service that has gone, or no longer has that port, every flow is stale', () => {
  const nobody: readonly string[] = []
  assert.deepEqual(changedTargets([dns], []), [
    { address: '10.96.0.10', port: 53, endpoints: nobody },
    { port: 30053, endpoints: nobody },
  ])
  const { nodePort: _, ...inside } = dns
  assert.deepEqual(changedTargets([dns], [inside]), [{ port: 30053, endpoints: nobody }])
})

test('the order of endpoints, TCP and other Services are nothing to it', () => {
  const web: ServiceRule = { ...dns, uid: 'web', protocol: 'tcp', clusterIp: '10.96.0.11' }
  assert.deepEqual(changedTargets([dns], [{ ...dns, endpoints: dns.endpoints.toReversed() }, web]), [])
})
