import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryStore } from '../../test/fixtures/temporary-store.ts'
import type { Container } from '../model/container.ts'
import { HOST_GATEWAY } from '../model/dns.ts'
import type { SandboxSpec } from '../model/network.ts'
import { dnsRecords } from './dns-records.ts'

/** The networks that have a server, with the addresses that they know, where there is one container. */
function networksOf(
  t: TestContext,
  sandbox: Partial<SandboxSpec>,
  container: Partial<Container['spec']>,
  status: Partial<Container['status']> = { setUpAt: 1 },
) {
  const { Network, Sandbox, Container } = SAMPLE_OBJECTS
  const store = temporaryStore(t)
  store.write((tx) => {
    tx.create('Network', Network)
    tx.create('Network', { ...Network, name: 'blue', uid: 'blue', spec: { ...Network.spec, bridge: 'blue' } })
    tx.create('Sandbox', { ...Sandbox, spec: { ...Sandbox.spec, ...sandbox } })
    tx.create('Container', {
      ...Container,
      spec: { ...Container.spec, ...container },
      status: { restartCount: 0, ...status },
    })
  })
  const { networks } = store.read((tx) => dnsRecords(tx, 'raind0'))
  return networks.map(({ name, endpoints }) => [name, endpoints.flatMap(({ addresses }) => addresses)])
}

test('a network has a server while a container that is up is on it', (t) => {
  assert.deepEqual(networksOf(t, {}, {}), [['raind0', ['10.166.0.7']]])
  assert.deepEqual(networksOf(t, {}, {}, {}), [])
})

test("one in the host's network asks at the default network's gateway, though nobody is on that", (t) => {
  const inHost = { networkMode: 'host', attachments: [] } as const
  const dns = (...servers: string[]) => ({ dns: { servers, search: [], options: [] } })
  assert.deepEqual(networksOf(t, inHost, dns(HOST_GATEWAY)), [['raind0', []]])
  assert.deepEqual(networksOf(t, inHost, dns(HOST_GATEWAY), {}), [])
  assert.deepEqual(networksOf(t, inHost, dns('192.0.2.53')), [])
  assert.deepEqual(networksOf(t, inHost, {}), [])
})
