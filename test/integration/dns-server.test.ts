import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type DnsRecords, NameServer } from '../../src/dns/index.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { inlineKernelThread } from '../../src/linux/kernel-thread.ts'
import { spawnOps } from '../../src/linux/spawn.ts'
import { askDns, encodeQuery, resolve } from '../support/dns-client.ts'
import { startUpstream, type Upstream } from '../support/dns-upstream.ts'
import { addNeighbour, type Neighbour, run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { type NetworkFixture, openNetwork } from '../support/sandbox-network.ts'

runInOwnNamespaces(import.meta.filename)

const A = { bridge: 'raind0', subnet: '10.166.0.0/20', gateway: '10.166.0.254' }
const B = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }
const UPSTREAM = '127.0.0.7'

let records: DnsRecords = { networks: [] }
let a: NetworkFixture
let b: NetworkFixture
let lan: Neighbour
let upstream: Upstream
let names: NameServer
let directory: string
/** Network namespaces: `web` and `db` on A, `both` (seen from A) on both, `far` on B. */
let web: string
let both: string
let far: string
let resolvConfs = 0

before(async () => {
  a = await openNetwork(A)
  b = await openNetwork(B)
  directory = join(a.dir, 'dns')
  web = await a.sandbox('web', '10.166.0.1')
  both = await a.sandbox('both', '10.166.0.3')
  far = await b.sandbox('far', '10.167.0.1')
  lan = addNeighbour(join(a.dir, 'lan'), 'lan0', 50)
  upstream = await startUpstream(UPSTREAM)
  useResolvConf(`nameserver ${UPSTREAM}\n`)
  records = {
    networks: [
      {
        name: 'a',
        gateway: A.gateway,
        subnet: A.subnet,
        endpoints: [
          { names: ['web', 'www', '0123456789ab'], addresses: ['10.166.0.1'], networks: ['a'] },
          { names: ['db', 'www'], addresses: ['10.166.0.2', 'fd00::2'], networks: ['a'] },
          { names: ['both'], addresses: ['10.166.0.3'], networks: ['a', 'b'] },
        ],
      },
      {
        name: 'b',
        gateway: B.gateway,
        subnet: B.subnet,
        endpoints: [
          { names: ['far'], addresses: ['10.167.0.1'], networks: ['b'] },
          { names: ['both'], addresses: ['10.167.0.3'], networks: ['b', 'a'] },
        ],
      },
    ],
  }
  names = openNames('1')
  await names.sync()
})

after(async () => {
  records = { networks: [] }
  await names[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  while (resolvConfs-- > 0) run(undefined, 'umount /etc/resolv.conf')
  lan[Symbol.dispose]()
  await b[Symbol.asyncDispose]()
  await a[Symbol.asyncDispose]()
})

function openNames(version: string): NameServer {
  return new NameServer({
    directory,
    entry: new URL('../../src/dns/main.ts', import.meta.url),
    version,
    thread: inlineKernelThread(spawnOps),
    log: silentLogger,
    records: () => records,
    onStart: async () => {},
  })
}

function useResolvConf(text: string): void {
  const file = join(a.dir, `resolv.${resolvConfs++}`)
  writeFileSync(file, text)
  run(undefined, `mount --bind ${file} /etc/resolv.conf`)
}

const local = (name: string, type: 'A' | 'AAAA' | 'PTR' | 'TXT' | 'ANY' = 'A') =>
  resolve(web, A.gateway, name, { type })

test('names, aliases and short ids of a network have their addresses', async () => {
  assert.equal(await local('web'), '10.166.0.1')
  assert.equal(await local('WeB'), '10.166.0.1')
  assert.equal(await local('0123456789ab'), '10.166.0.1')
  assert.equal(await local('www'), '10.166.0.1 10.166.0.2')
  assert.equal(await resolve(web, A.gateway, 'web', { transport: 'tcp' }), '10.166.0.1')
})

test('a known name has no data of other types, but exists', async () => {
  assert.equal(await local('web', 'AAAA'), 'NODATA')
  assert.equal(await local('web', 'TXT'), 'NODATA')
  assert.equal(await local('db', 'AAAA'), 'fd000000000000000000000000000002')
})

test('addresses lead back to names', async () => {
  const hex = (name: string) =>
    Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.of(0)]).toString('hex')
  assert.equal(await local('1.0.166.10.in-addr.arpa', 'PTR'), hex('web'))
  assert.equal(await local(`2.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, 'PTR'), hex('db'))
  upstream.queries.length = 0
  assert.equal(await local('9.0.166.10.in-addr.arpa', 'PTR'), 'NXDOMAIN')
  assert.deepEqual(upstream.queries, [])
})

test('a network answers its own names only; a container on two sees both', async () => {
  upstream.answer = () => ({ rcode: 3 })
  assert.equal(await local('far'), 'NXDOMAIN')
  assert.equal(await resolve(far, B.gateway, 'web'), 'NXDOMAIN')
  assert.equal(await resolve(both, A.gateway, 'far'), '10.167.0.1')
  assert.equal(await resolve(both, A.gateway, 'both'), '10.166.0.3')
})

test('nobody from outside the bridge gets an answer', async () => {
  const asking = { timeoutMs: 400 }
  for (const transport of ['udp', 'tcp'] as const) {
    assert.equal(await resolve(far, A.gateway, 'web', { ...asking, transport }), 'silence')
    assert.equal(await resolve(lan.netns, A.gateway, 'web', { ...asking, transport }), 'silence')
  }
})

test('the bridge’s rules alone keep others out, and let containers in where the host drops what comes', async () => {
  run(undefined, 'iptables -P INPUT DROP')
  run(undefined, 'iptables -I INPUT 1 -i lo -j ACCEPT')
  assert.equal(await local('web'), '10.166.0.1')
  assert.equal(await resolve(web, A.gateway, 'web', { transport: 'tcp' }), '10.166.0.1')
  assert.equal(await resolve(undefined, A.gateway, 'web'), '10.166.0.1')
  run(undefined, 'iptables -P INPUT ACCEPT')
  run(undefined, 'iptables -D INPUT 1')
  run(undefined, `iptables -t mangle -Z`)
  assert.equal(await resolve(far, A.gateway, 'web', { timeoutMs: 100 }), 'silence')
  assert.match(run(undefined, 'iptables -t mangle -nvxL RAIND-DNS-raind0'), /^ +[1-9]\d* .* DROP +(17|udp) /m)
})

test('everything else goes to the host’s servers, with ids and ports that change', async () => {
  upstream.queries.length = 0
  upstream.answer = ({ name }) => ({ addresses: name === 'example.com' ? ['192.0.2.1', '192.0.2.2'] : [], ttl: 0 })
  for (let i = 0; i < 8; i++) assert.equal(await local('example.com'), '192.0.2.1 192.0.2.2')
  assert.equal(upstream.queries.length, 8)
  assert.ok(new Set(upstream.queries.map(({ id }) => id)).size > 4)
  assert.ok(new Set(upstream.queries.map(({ port }) => port)).size > 4)
})

test('answers are kept as long as they say, with times that run down', async () => {
  upstream.queries.length = 0
  upstream.answer = () => ({ addresses: ['192.0.2.7'], ttl: 50 })
  const first = await askDns(web, A.gateway, 'kept.example')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const second = await askDns(web, A.gateway, 'KEPT.example')
  assert.deepEqual(first?.ttls, [50])
  assert.ok(second!.ttls[0]! < 50)
  assert.equal(upstream.queries.length, 1)
})

test('"no such name" is kept as its SOA says', async () => {
  upstream.queries.length = 0
  upstream.answer = ({ name }) => ({ rcode: 3, ...(name.startsWith('soa') && { soaMinimum: 60 }) })
  for (let i = 0; i < 2; i++) assert.equal(await local('soa.example'), 'NXDOMAIN')
  for (let i = 0; i < 2; i++) assert.equal(await local('bare.example'), 'NXDOMAIN')
  assert.deepEqual(
    upstream.queries.map(({ name }) => name),
    ['soa.example', 'bare.example', 'bare.example'],
  )
})

test('large answers are cut for UDP as the client said, and whole by TCP', async () => {
  const addresses = Array.from({ length: 40 }, (_, index) => `192.0.2.${index}`)
  upstream.answer = ({ transport }) => (transport === 'udp' ? { truncated: true } : { addresses })
  const plain = await askDns(web, A.gateway, 'large.example')
  assert.deepEqual([plain?.truncated, plain?.answers.length], [true, 30])
  assert.ok(plain!.bytes <= 512)
  const edns = await askDns(web, A.gateway, 'large.example', { ednsBytes: 1232 })
  assert.deepEqual([edns?.truncated, edns?.answers.length], [false, 40])
  const tcp = await askDns(web, A.gateway, 'large.example', { transport: 'tcp' })
  assert.deepEqual([tcp?.truncated, tcp?.answers.length], [false, 40])
})

test('an answer must be to the question, with its id', async () => {
  upstream.answer = ({ id }) => [
    { asId: id ^ 1, addresses: ['203.0.113.1'] },
    { asName: 'other.example', addresses: ['203.0.113.2'] },
    { addresses: ['192.0.2.9'] },
  ]
  assert.equal(await local('spoofed.example'), '192.0.2.9')
})

test('one question at a time is asked for many who wait for it', async () => {
  upstream.queries.length = 0
  upstream.answer = () => ({ addresses: ['192.0.2.3'], ttl: 0 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => local('many.example')))
  assert.deepEqual(new Set(answers), new Set(['192.0.2.3']))
  assert.ok(upstream.queries.length < 20)
})

test('a server that is silent or refuses is passed over; the file is read again when it changes', async () => {
  await using second = await startUpstream('127.0.0.8', () => ({ addresses: ['192.0.2.8'] }))
  useResolvConf('nameserver 127.0.0.9\nnameserver 127.0.0.7\nnameserver 127.0.0.8\n')
  upstream.answer = () => ({ rcode: 5 })
  assert.equal(await local('passed.example'), '192.0.2.8')
  assert.equal(second.queries.length, 1)
  useResolvConf('')
  assert.equal(await local('nowhere.example'), 'SERVFAIL')
  useResolvConf(`nameserver ${A.gateway}\n`)
  assert.equal(await local('round.example'), 'SERVFAIL')
  useResolvConf(`nameserver ${UPSTREAM}\n`)
})

test('behind systemd-resolved its own servers are asked', async () => {
  mkdirSync('/run/systemd/resolve', { recursive: true })
  run(undefined, 'mount -t tmpfs tmpfs /run/systemd/resolve')
  writeFileSync('/run/systemd/resolve/resolv.conf', `nameserver ${UPSTREAM}\n`)
  useResolvConf('nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n')
  upstream.answer = () => ({ addresses: ['192.0.2.53'] })
  assert.equal(await local('resolved.example'), '192.0.2.53')
  useResolvConf(`nameserver ${UPSTREAM}\n`)
  run(undefined, 'umount /run/systemd/resolve')
})

test('what is no good query is refused or not answered', async () => {
  const query = encodeQuery('web', 1)
  const changed = (offset: number, value: number) => Buffer.from(query).fill(value, offset, offset + 1)
  const answer = (message: Buffer, timeoutMs = 10_000) => resolve(web, A.gateway, '', { message, timeoutMs })
  assert.equal(await answer(changed(2, 0x80), 400), 'silence')
  assert.equal(await answer(query.subarray(0, 11), 400), 'silence')
  assert.equal(await answer(changed(2, 0x28)), 'NOTIMP')
  assert.equal(await answer(changed(5, 2)), 'FORMERR')
  assert.equal(await answer(changed(12, 0xc0)), 'FORMERR')
  assert.equal(await answer(query.subarray(0, query.length - 1)), 'FORMERR')
  assert.equal(await answer(changed(query.length - 1, 3)), 'REFUSED')
  assert.equal(await answer(changed(query.length - 3, 252)), 'REFUSED')
})
