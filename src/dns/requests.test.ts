import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeQuery } from '../../test/support/dns-client.ts'
import { Forwarder } from './forwarder.ts'
import { nameTables } from './records.ts'
import { Requests } from './requests.ts'
import { zoneTable } from './zone-table.ts'

const endpoints = Array.from({ length: 300 }, (_, index) => ({ address: `10.1.${index >> 8}.${index & 255}` }))
let forwarded = 0
const requests = new Requests(
  new Forwarder({
    servers: () => {
      forwarded++
      return []
    },
    isOwn: () => true,
  }),
)
requests.useTables(
  nameTables({
    networks: [
      {
        name: 'a',
        gateway: '10.0.0.254',
        subnet: '10.0.0.0/24',
        endpoints: [
          {
            names: ['web', 'outside.cluster.local', 'web.shop.svc.cluster.local'],
            addresses: ['10.0.0.1'],
            networks: [],
          },
        ],
      },
    ],
  }),
  zoneTable({
    domain: 'cluster.local',
    services: [
      { namespace: 'shop', name: 'web', ports: [], clusterIps: ['10.96.0.1'] },
      { namespace: 'shop', name: 'db', ports: [{ name: 'sql', protocol: 'TCP', port: 5432 }], endpoints },
    ],
    pods: {},
  }),
)

const ask = (message: Buffer, transport: 'udp' | 'tcp' = 'udp') => requests.answer('a', '10.0.0.1', message, transport)
const rcodeOf = async (name: string) => (await ask(encodeQuery(name, 1)))![3]! & 15

test('nobody else is asked for a name of the zone, and no container can take one', async () => {
  forwarded = 0
  const answer = await ask(encodeQuery('web.shop.svc.cluster.local', 1))
  assert.deepEqual([...answer!.subarray(-4)], [10, 96, 0, 1])
  assert.equal(await rcodeOf('outside.cluster.local'), 3)
  assert.equal(await rcodeOf('example.com.shop.svc.cluster.local'), 3)
  assert.equal(await rcodeOf('web'), 0)
  assert.equal(forwarded, 0)
  assert.equal(await rcodeOf('cluster.local.example'), 2)
  assert.equal(forwarded, 1)
})

test('any bytes get an answer that the transport can hold, or none', async () => {
  const names = ['db.shop.svc.cluster.local', '_sql._tcp.db.shop.svc.cluster.local', 'web', 'cluster.local']
  const change = fc.tuple(fc.nat(80), fc.nat(255))
  const broken = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(1, 28, 33, 255), fc.array(change, { maxLength: 3 }))
    .map(([name, type, changes]) => {
      const message = encodeQuery(name, type, 4096)
      for (const [at, value] of changes) if (at < message.length) message[at] = value
      return message
    })
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
  const property = fc.asyncProperty(
    fc.oneof(broken, bytes),
    fc.constantFrom('udp', 'tcp'),
    async (message, transport) => {
      const answer = await ask(message, transport)
      assert.ok(answer === undefined || answer.length <= (transport === 'udp' ? 1232 : 0xffff))
    },
  )
  await fc.assert(property, { numRuns: 2000 })
})
