import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type DnsRecords, type DnsService, NameServer } from '../../src/dns/index.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { inlineKernelThread } from '../../src/linux/kernel-thread.ts'
import { spawnOps } from '../../src/linux/spawn.ts'
import { CLUSTER_DOMAIN } from '../../src/model/dns.ts'
import { type Asking, askDns, encodeQuery, resolve } from '../support/dns-client.ts'
import { startUpstream, type Upstream } from '../support/dns-upstream.ts'
import { run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { type NetworkFixture, openNetwork } from '../support/sandbox-network.ts'

runInOwnNamespaces(import.meta.filename)

const A = { bridge: 'raind0', subnet: '10.166.0.0/20', gateway: '10.166.0.254' }
const B = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }
const UPSTREAM = '127.0.0.7'
const SRV = 33
const PEERS = 600
const sql = { name: 'sql', protocol: 'TCP', port: 5432 }

const SERVICES: readonly DnsService[] = [
  { namespace: 'shop', name: 'web', ports: [{ name: 'http', protocol: 'TCP', port: 80 }], clusterIps: ['10.96.0.1'] },
  { namespace: 'shop', name: 'db', ports: [sql], endpoints: [{ address: '10.166.0.1', hostname: 'db-0' }] },
  {
    namespace: 'shop',
    name: 'peers',
    ports: [sql],
    endpoints: Array.from({ length: PEERS }, (_, index) => ({
      address: `10.166.${1 + (index >> 8)}.${index & 255}`,
    })),
  },
]

let records: DnsRecords = { networks: [] }
let a: NetworkFixture
let b: NetworkFixture
let upstream: Upstream
let names: NameServer
/** Network namespaces: `web` on A, `far` on B. */
let web: string
let far: string

before(async () => {
  a = await openNetwork(A)
  b = await openNetwork(B)
  web = await a.sandbox('web', '10.166.0.1')
  far = await b.sandbox('far', '10.167.0.1')
  upstream = await startUpstream(UPSTREAM, () => ({ addresses: ['192.0.2.1'] }))
  const resolvConf = join(a.dir, 'resolv.conf')
  writeFileSync(resolvConf, `nameserver ${UPSTREAM}\n`)
  run(undefined, `mount --bind ${resolvConf} /etc/resolv.conf`)
  names = new NameServer({
    directory: join(a.dir, 'dns'),
    entry: new URL('../../src/dns/main.ts', import.meta.url),
    version: '1',
    thread: inlineKernelThread(spawnOps),
    log: silentLogger,
    records: () => records,
    onStart: async () => {},
  })
  await know(...SERVICES)
})

after(async () => {
  records = { networks: [] }
  await names[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  run(undefined, 'umount /etc/resolv.conf')
  await b[Symbol.asyncDispose]()
  await a[Symbol.asyncDispose]()
})

async function know(...services: readonly DnsService[]): Promise<void> {
  const network = (name: string, { gateway, subnet }: typeof A, container: string, address: string) => {
    const endpoints = [{ names: [container], addresses: [address], networks: [name] }]
    return { name, gateway, subnet, endpoints }
  }
  records = {
    networks: [network('a', A, 'web', '10.166.0.1'), network('b', B, 'far', '10.167.0.1')],
    zone: { domain: CLUSTER_DOMAIN, services, pods: { shop: ['10.166.0.1'] } },
  }
  await names.sync()
}

const ask = (name: string, asking?: Asking) => askDns(web, A.gateway, `${name}.cluster.local`, asking)
const local = (name: string, asking?: Asking) => resolve(web, A.gateway, `${name}.cluster.local`, asking)

test('Services and pods are found at every gateway, by UDP and TCP', async () => {
  for (const transport of ['udp', 'tcp'] as const) {
    for (const [netns, gateway] of [
      [web, A.gateway],
      [far, B.gateway],
    ] as const) {
      const at = (name: string) => resolve(netns, gateway, `${name}.cluster.local`, { transport })
      assert.equal(await at('web.shop.svc'), '10.96.0.1')
      assert.equal(await at('DB-0.db.shop.svc'), '10.166.0.1')
      assert.equal(await at('10-166-0-1.shop.pod'), '10.166.0.1')
      assert.equal(await at('ns.dns'), gateway)
    }
  }
  const pointer = await resolve(web, A.gateway, '1.0.96.10.in-addr.arpa', { type: 'PTR' })
  assert.match(Buffer.from(pointer, 'hex').toString('latin1'), /^.web.shop.svc.cluster.local.$/s)
})

test('who asks at the gateway of another network gets no answer', async () => {
  assert.equal(await resolve(far, A.gateway, 'web.shop.svc.cluster.local', { timeoutMs: 400 }), 'silence')
})

test('names that are not there are not looked for elsewhere', async () => {
  upstream.queries.length = 0
  for (const name of ['web.other.svc', 'example.com.shop.svc', 'example.com', '10-0-0-1.shop.pod'])
    assert.equal(await local(name), 'NXDOMAIN')
  for (const name of ['shop.svc', 'svc', '_tcp.web.shop.svc']) assert.equal(await local(name), 'NODATA')
  assert.equal(await local('web.shop.svc', { type: 'AAAA' }), 'NODATA')
  const answer = await ask('web.other.svc')
  assert.equal(answer?.authoritative, true)
  assert.deepEqual(upstream.queries, [])
  assert.equal(await resolve(web, A.gateway, 'example.com'), '192.0.2.1')
  assert.equal(await resolve(web, A.gateway, 'web'), '10.166.0.1')
})

test('a Service with many endpoints is cut for UDP as the client said, and whole by TCP', async () => {
  const plain = await ask('peers.shop.svc')
  assert.equal(plain?.truncated, true)
  assert.ok(plain.bytes <= 512 && plain.answers.length > 20)
  const edns = await ask('peers.shop.svc', { ednsBytes: 4096 })
  assert.equal(edns?.truncated, true)
  assert.ok(edns.bytes <= 1232 && edns.answers.length > 70)
  const whole = await ask('peers.shop.svc', { transport: 'tcp' })
  assert.equal(whole?.truncated, false)
  assert.equal(new Set(whole.answers).size, PEERS)
  const message = encodeQuery('_sql._tcp.peers.shop.svc.cluster.local', SRV)
  assert.equal((await ask('', { message }))?.truncated, true)
  assert.equal((await ask('', { message, transport: 'tcp' }))?.answers.length, PEERS)
})

test('each endpoint has its turn to be the first', async () => {
  const firsts = new Set<string>()
  for (let i = 0; i < 20; i++) firsts.add((await ask('peers.shop.svc'))!.answers[0]!)
  assert.ok(firsts.size > 5)
})

test('what sync has resolved for can be looked up, and what is gone is not there', async () => {
  await know({ namespace: 'new', name: 'web', ports: [], clusterIps: ['10.96.0.9'] })
  assert.equal(await local('web.new.svc'), '10.96.0.9')
  assert.equal(await local('web.shop.svc'), 'NXDOMAIN')
  assert.equal(await local('svc'), 'NODATA')
  await know(...SERVICES)
  assert.equal(await local('web.shop.svc'), '10.96.0.1')
})

test('no bytes end the server', async () => {
  const good = encodeQuery('peers.shop.svc.cluster.local', 1, 1232)
  const messages = Array.from({ length: 100 }, (_, index) => {
    const message = Buffer.from(good)
    for (let at = 2 + (index % 7); at < message.length; at += 11 + (index % 13)) message[at] = (index * 37 + at) & 255
    return message.subarray(0, message.length - (index % 5))
  })
  await Promise.all(messages.map((message) => ask('', { message, timeoutMs: 300 })))
  assert.equal(await local('web.shop.svc'), '10.96.0.1')
  assert.equal(statSync(join(a.dir, 'dns/log')).size, 0)
})
