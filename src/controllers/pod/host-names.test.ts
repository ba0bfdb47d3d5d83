import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplePod } from '../../../test/fixtures/pod-example.ts'
import { podHostname, podHosts } from './host-names.ts'

test('podHostname() is a label of DNS', () => {
  assert.equal(podHostname(examplePod(), 'node'), 'web')
  assert.equal(podHostname(examplePod({ hostname: 'db' }), 'node'), 'db')
  assert.equal(podHostname(examplePod({ hostNetwork: true, hostname: 'db' }), 'node'), 'node')
  assert.equal(podHostname(examplePod({}, { name: 'a.b' }), 'node'), 'a.b')
  const name = `${'a'.repeat(61)}-.b`
  assert.equal(podHostname(examplePod({}, { name }), 'node'), 'a'.repeat(61))
  assert.equal(podHostname(examplePod({}, { name: 'a'.repeat(70) }), 'node'), 'a'.repeat(63))
})

test('podHosts(): its name in full, and its aliases', () => {
  const hostAliases = [{ ip: '192.0.2.7', hostnames: ['a.example', 'a'] }, { ip: '::7' }]
  const ofOthers = [
    { name: 'a.example', address: '192.0.2.7' },
    { name: 'a', address: '192.0.2.7' },
  ]
  const ips = ['10.0.0.5', 'fd00::5']
  const name = 'db.sub.default.svc.cluster.local'
  assert.deepEqual(podHosts(examplePod({ hostAliases }), ips), ofOthers)
  assert.deepEqual(podHosts(examplePod({ hostAliases, hostname: 'db', subdomain: 'sub' }), ips), [
    { name, address: '10.0.0.5' },
    { name, address: 'fd00::5' },
    ...ofOthers,
  ])
  assert.deepEqual(podHosts(examplePod({ subdomain: 'sub', hostNetwork: true }), ips), [])
})
