import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeQuery } from '../../test/support/dns-client.ts'
import { addressText } from '../lib/ip-address.ts'
import { CLUSTER_DOMAIN } from '../model/dns.ts'
import { isBad, parseQuery, parseResponse, TYPE } from './message.ts'
import { reverseName } from './reverse-name.ts'
import { answerFromZone } from './zone-answer.ts'
import { zoneTable } from './zone-table.ts'

const GATEWAY = '10.166.0.254'
const long = 'x'.repeat(70)
const http = { name: 'http', protocol: 'TCP', port: 80 }
const zone = zoneTable({
  domain: CLUSTER_DOMAIN,
  services: [
    {
      namespace: 'shop',
      name: 'web',
      ports: [http, { name: 'dns', protocol: 'UDP', port: 53 }],
      clusterIps: ['10.96.0.1', 'fd00::1'],
    },
    { namespace: 'shop', name: 'plain', ports: [], clusterIps: ['10.96.0.2'] },
    { namespace: 'shop', name: 'db', ports: [http], endpoints: [{ address: '10.0.0.1', hostname: 'db-0' }] },
    {
      namespace: 'shop',
      name: 'db',
      ports: [{ ...http, port: 8080 }],
      endpoints: [
        { address: '10.0.0.2', hostname: 'DB-1' },
        { address: 'fd00:0::2', hostname: 'DB-1' },
        { address: '10.0.0.3' },
        { address: 'fd00::3' },
        { address: '10.0.0.3' },
      ],
    },
    { namespace: 'shop', name: 'idle', ports: [http], endpoints: [] },
    { namespace: 'odd', name: 'Peers', ports: [http], endpoints: [{ address: '10.0.0.1', hostname: long }] },
  ],
  pods: { shop: ['10.0.0.1', 'fd00::3'], empty: [], __proto__: [] },
})

/** Of the answer's records, `NXDOMAIN` or `NODATA`; undefined: it is not the zone's. */
function lookUp(name: string, type: number | keyof typeof TYPE = 'A'): string | undefined {
  const sent = encodeQuery(name, typeof type === 'number' ? type : TYPE[type])
  const query = parseQuery(sent)
  assert.ok(query !== undefined && !isBad(query))
  const message = answerFromZone(query, zone, GATEWAY)
  if (message === undefined) return undefined
  const { rcode, records } = parseResponse(message, sent)!
  assert.equal(message.readUInt16BE(2) & 0x0400, 0x0400, 'it is authoritative')
  for (const { ttl } of records) assert.ok(ttl <= 5)
  const answers = records.filter(({ section }) => section === 'answer')
  const data = answers.map((answer) =>
    dataText(answer.type, message.subarray(answer.dataOffset, answer.dataOffset + answer.dataBytes)),
  )
  if (data.length > 0) return data.toSorted().join(' ')
  const [soa] = records
  assert.equal(soa?.type, TYPE.SOA)
  assert.equal(message.readUInt32BE(soa!.dataOffset + soa!.dataBytes - 4), 5)
  return rcode === 3 ? 'NXDOMAIN' : 'NODATA'
}

function dataText(type: number, data: Buffer): string {
  if (type === TYPE.A || type === TYPE.AAAA) return addressText(data)
  if (type === TYPE.TXT) return data.toString('latin1', 1)
  if (type === TYPE.SRV) return `${data.readUInt16BE(4)}:${nameText(data.subarray(6))}`
  return nameText(data)
}

function nameText(data: Buffer): string {
  const length = data[0]!
  return length === 0 ? '' : `${data.toString('latin1', 1, 1 + length)}.${nameText(data.subarray(1 + length))}`
}

function expect(table: readonly (readonly [string, keyof typeof TYPE, string | undefined])[]): void {
  for (const [name, type, expected] of table) assert.equal(lookUp(name, type), expected, `${name} ${type}`)
}

test('a Service with addresses of its own has them, and ports by name', () => {
  expect([
    ['web.shop.svc.cluster.local', 'A', '10.96.0.1'],
    ['web.shop.svc.cluster.local', 'AAAA', 'fd00::1'],
    ['WEB.Shop.sVc.CLUSTER.local', 'A', '10.96.0.1'],
    ['web.shop.svc.cluster.local', 'ANY', '10.96.0.1 fd00::1'],
    ['plain.shop.svc.cluster.local', 'AAAA', 'NODATA'],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', '80:web.shop.svc.cluster.local.'],
    ['_dns._udp.web.shop.svc.cluster.local', 'SRV', '53:web.shop.svc.cluster.local.'],
    ['_http._tcp.web.shop.svc.cluster.local', 'A', 'NODATA'],
    ['_tcp.web.shop.svc.cluster.local', 'SRV', 'NODATA'],
    ['_http._udp.web.shop.svc.cluster.local', 'SRV', 'NXDOMAIN'],
    ['_tcp.plain.shop.svc.cluster.local', 'SRV', 'NXDOMAIN'],
    ['web.other.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['x.web.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['10-96-0-1.web.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
  ])
})

test('a headless Service has its endpoints, each by its hostname or its address', () => {
  const name = (host: string) => `${host}.db.shop.svc.cluster.local`
  expect([
    ['db.shop.svc.cluster.local', 'A', '10.0.0.1 10.0.0.2 10.0.0.3'],
    ['db.shop.svc.cluster.local', 'AAAA', 'fd00::2 fd00::3'],
    [name('db-0'), 'A', '10.0.0.1'],
    [name('db-0'), 'AAAA', 'NODATA'],
    [name('db-1'), 'ANY', '10.0.0.2 fd00::2'],
    [name('10-0-0-3'), 'A', '10.0.0.3'],
    [name('fd00--3'), 'AAAA', 'fd00::3'],
    [name('10-0-0-1'), 'A', 'NXDOMAIN'],
    [name('_tcp'), 'SRV', 'NODATA'],
    [
      name('_http._tcp'),
      'SRV',
      ['8080:10-0-0-3', '8080:db-1', '8080:fd00--3', '80:db-0'].map((target) => `${name(target)}.`).join(' '),
    ],
  ])
})

test('a headless Service without endpoints is not there', () => {
  expect([
    ['idle.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['_http._tcp.idle.shop.svc.cluster.local', 'SRV', 'NXDOMAIN'],
  ])
})

test('a pod is found by its address, in its namespace', () => {
  expect([
    ['10-0-0-1.shop.pod.cluster.local', 'A', '10.0.0.1'],
    ['10-0-0-1.shop.pod.cluster.local', 'AAAA', 'NODATA'],
    ['fd00--3.shop.pod.cluster.local', 'AAAA', 'fd00::3'],
    ['fd00-0-0-0-0-0-0-3.shop.pod.cluster.local', 'AAAA', 'fd00::3'],
    ['10-0-0-2.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['010-0-0-1.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['10-0-0-1.other.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['x.10-0-0-1.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['shop.pod.cluster.local', 'A', 'NODATA'],
    ['other.pod.cluster.local', 'A', 'NXDOMAIN'],
  ])
})

test('the zone has a server and a version, and names that only lead to others', () => {
  expect([
    ['cluster.local', 'NS', 'ns.dns.cluster.local.'],
    ['cluster.local', 'SOA', 'ns.dns.cluster.local.'],
    ['cluster.local', 'A', 'NODATA'],
    ['ns.dns.cluster.local', 'A', GATEWAY],
    ['dns-version.cluster.local', 'TXT', '1.1.0'],
    ['dns.cluster.local', 'A', 'NODATA'],
    ['svc.cluster.local', 'A', 'NODATA'],
    ['pod.cluster.local', 'A', 'NODATA'],
    ['shop.svc.cluster.local', 'A', 'NODATA'],
    ['other.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['toString.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['other.cluster.local', 'A', 'NXDOMAIN'],
    ['example.com.cluster.local', 'A', 'NXDOMAIN'],
    ['cluster.local.cluster.local', 'A', 'NXDOMAIN'],
  ])
})

test('addresses of Services, and of endpoints with a hostname, lead back to names', () => {
  expect([
    [reverseName('10.96.0.1'), 'PTR', 'web.shop.svc.cluster.local.'],
    [reverseName('fd00::1'), 'PTR', 'web.shop.svc.cluster.local.'],
    [reverseName('10.0.0.1'), 'PTR', 'db-0.db.shop.svc.cluster.local.'],
    [reverseName('fd00::2'), 'PTR', 'db-1.db.shop.svc.cluster.local.'],
    [reverseName('10.0.0.3'), 'PTR', undefined],
    [reverseName('10.96.0.9'), 'PTR', undefined],
  ])
})

test('other names are left to others', () => {
  for (const name of ['local', 'xcluster.local', 'cluster.local.example', 'web', 'web.shop.svc', 'web.shop'])
    assert.equal(lookUp(name), undefined, name)
})

test('what DNS cannot hold has no record, and harms no other', () => {
  assert.equal(lookUp('peers.odd.svc.cluster.local'), '10.0.0.1')
  assert.equal(lookUp('_http._tcp.peers.odd.svc.cluster.local', 'SRV'), 'NODATA')
})

test('no name below the zone, whatever it is made of, gets anywhere else or throws', () => {
  const pieces = ['svc', 'pod', 'shop', 'web', 'db', '_tcp', '_http', '10-0-0-1', 'db-0', '__proto__', 'dns', 'ns', '-']
  const label = fc.oneof(
    fc.constantFrom(...pieces).map((text) => Buffer.from(text)),
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  )
  const wire = (labels: readonly Buffer[]) => Buffer.concat(labels.flatMap((text) => [Buffer.of(text.length), text]))
  const end = wire(['Cluster', 'LOCAL'].map((text) => Buffer.from(text)))
  fc.assert(
    fc.property(
      fc.array(label, { maxLength: 8 }),
      fc.constantFrom(1, 2, 6, 12, 16, 28, 33, 255, 999),
      (labels, type) => {
        const head = encodeQuery('x', type).subarray(0, 12)
        const message = Buffer.concat([head, wire(labels), end, Buffer.of(0, type >> 8, type & 255, 0, 1)])
        const query = parseQuery(message)
        assert.ok(query !== undefined && !isBad(query))
        const answer = answerFromZone(query, zone, GATEWAY)
        assert.ok(answer && parseResponse(answer, message))
      },
    ),
    { numRuns: 2000 },
  )
})
