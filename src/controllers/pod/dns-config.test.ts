import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplePod } from '../../../test/fixtures/pod-example.ts'
import type { DnsConfig } from '../../model/container.ts'
import { validateDns } from '../../model/dns.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { podDns } from './dns-config.ts'

const host: DnsConfig = { servers: ['192.0.2.53'], search: ['host.example'], options: ['edns0', 'timeout:3'] }
const CLUSTER = ['team.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'host.example']

function dnsOf(spec: Partial<Pod['spec']>, ofHost = host): DnsConfig {
  return podDns(examplePod(spec, { namespace: 'team' }), ofHost)
}

test('each policy has its base', () => {
  const cluster = { servers: ['host-gateway'], search: CLUSTER, options: ['ndots:5'] }
  const nameservers = ['192.0.2.1']
  const cases: readonly [Partial<Pod['spec']>, DnsConfig][] = [
    [{}, cluster],
    [{ dnsPolicy: 'ClusterFirst' }, cluster],
    [{ dnsPolicy: 'ClusterFirst', hostNetwork: true }, host],
    [{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }, cluster],
    [{ dnsPolicy: 'ClusterFirstWithHostNet' }, cluster],
    [{ dnsPolicy: 'Default' }, host],
    // An empty list would be the host's.
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers } },
      { servers: nameservers, search: ['.'], options: ['ndots:1'] },
    ],
  ]
  for (const [spec, expected] of cases) {
    assert.deepEqual(dnsOf(spec), expected, JSON.stringify(spec))
    validateDns({ ...dnsOf(spec), servers: [] })
  }
})

test('dnsConfig adds servers and searches, without repeats, and overrides options', () => {
  const dnsConfig = {
    nameservers: ['192.0.2.1', '192.0.2.1'],
    searches: ['a.example', 'host.example'],
    options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }, { name: 'timeout', value: '' }],
  }
  assert.deepEqual(dnsOf({ dnsConfig }), {
    servers: ['host-gateway', '192.0.2.1'],
    search: [...CLUSTER, 'a.example'],
    options: ['ndots:2', 'rotate', 'timeout'],
  })
  assert.deepEqual(dnsOf({ dnsConfig, dnsPolicy: 'Default' }), {
    servers: ['192.0.2.53', '192.0.2.1'],
    search: ['host.example', 'a.example'],
    options: ['edns0', 'timeout', 'ndots:2', 'rotate'],
  })
  assert.deepEqual(dnsOf({ dnsConfig, dnsPolicy: 'None' }), {
    servers: ['192.0.2.1'],
    search: ['a.example', 'host.example'],
    options: ['ndots:2', 'rotate', 'timeout'],
  })
})

test('what is beyond the limits of a resolver is cut off', () => {
  const nameservers = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']
  assert.deepEqual(dnsOf({ dnsPolicy: 'None', dnsConfig: { nameservers } }).servers, nameservers.slice(0, 3))
  const many = Array.from({ length: 40 }, (_, i) => `s${i}.example`)
  assert.deepEqual(dnsOf({ dnsPolicy: 'None', dnsConfig: { searches: many } }).search, many.slice(0, 32))
  const long = Array.from({ length: 20 }, (_, i) => `${'a'.repeat(200)}${i % 10}`)
  const { search } = dnsOf({ dnsPolicy: 'None', dnsConfig: { searches: long } })
  assert.ok(search.join(' ').length <= 2048)
  assert.deepEqual(search, long.slice(0, search.length))
  assert.equal(search.length, 10)
})
