import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { type DnsRecords, NameServer } from '../../src/dns/index.ts'
import { jsonLogger } from '../../src/lib/log.ts'
import { inlineKernelThread } from '../../src/linux/kernel-thread.ts'
import { processStat } from '../../src/linux/process.ts'
import { spawnOps } from '../../src/linux/spawn.ts'
import { resolve } from '../support/dns-client.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { type NetworkFixture, openNetwork, raind0 } from '../support/sandbox-network.ts'

runInOwnNamespaces(import.meta.filename)

const GATEWAY = raind0.gateway
const NOTHING: DnsRecords = { networks: [] }

let network: NetworkFixture
let web: string
let directory: string
let records = NOTHING
let log: string[] = []
const started: number[] = []
const opened: NameServer[] = []

before(async () => {
  network = await openNetwork()
  web = await network.sandbox('web', '10.166.0.1')
  directory = join(network.dir, 'dns')
})

afterEach(async () => {
  records = NOTHING
  for (const server of opened.splice(0)) await server[Symbol.asyncDispose]()
  await eventually(() => started.every((pid) => isGone(pid)))
  rmSync(directory, { recursive: true, force: true })
  log = []
})

after(() => network[Symbol.asyncDispose]())

function open(version: string): NameServer {
  const server = new NameServer({
    directory,
    entry: new URL('../../src/dns/main.ts', import.meta.url),
    version,
    thread: inlineKernelThread(spawnOps),
    log: jsonLogger('warn', (line) => log.push(line)),
    records: () => records,
    onStart: async (pid) => void started.push(pid),
  })
  opened.push(server)
  return server
}

function know(...names: string[]): void {
  const endpoints = [{ names, addresses: ['10.166.0.1'], networks: ['a'] }]
  records = { networks: [{ name: 'a', gateway: GATEWAY, subnet: raind0.subnet, endpoints }] }
}

function isGone(pid: number): boolean {
  return processStat(pid)?.isZombie !== false
}

/** Asks without a pause until stopped, by both transports; returns what went wrong. */
function keepAsking(): () => Promise<string[]> {
  let asking = true
  const wrong: string[] = []
  const loops = (['udp', 'tcp'] as const).map(async (transport) => {
    while (asking) {
      // As every resolver, it asks again when a packet is lost.
      let answer = await resolve(web, GATEWAY, 'web', { transport, timeoutMs: 2000 })
      if (answer === 'silence') answer = await resolve(web, GATEWAY, 'web', { transport, timeoutMs: 2000 })
      if (answer !== '10.166.0.1') wrong.push(`${transport} ${answer}`)
    }
  })
  return async () => {
    asking = false
    await Promise.all(loops)
    return wrong
  }
}

test('a process of the same version is taken over, one of another is replaced without a gap', async () => {
  know('web')
  await open('1').sync()
  const [first] = started.slice(-1)
  const stop = keepAsking()
  know('web', 'more')
  await open('1').sync()
  assert.deepEqual(started.slice(-1), [first])
  assert.equal(await resolve(web, GATEWAY, 'more'), '10.166.0.1')
  for (const version of ['2', '3', '4']) {
    const before = started.at(-1)!
    // The one before is a daemon that is gone: it must not start its own version again.
    for (const old of opened.splice(0)) await abandon(old)
    const server = open(version)
    await server.sync()
    assert.notEqual(started.at(-1), before)
    assert.ok(server.serves(GATEWAY))
    await eventually(() => isGone(before))
  }
  assert.deepEqual(await stop(), [])
})

/** As if its daemon had been killed. */
async function abandon(server: NameServer): Promise<void> {
  const kept = records
  const disposed = server[Symbol.asyncDispose]()
  records = kept
  await disposed
}

test('it ends when its directory is removed', async () => {
  know('web')
  const server = open('1')
  await server.sync()
  const pid = started.at(-1)!
  await abandon(server)
  assert.ok(!isGone(pid))
  rmSync(directory, { recursive: true })
  await eventually(() => isGone(pid))
})

test('a gateway whose port is taken is not named to containers, until it is free', async () => {
  const taken = createSocket('udp4').bind(53, GATEWAY)
  const tcp = createServer().listen(53, GATEWAY)
  await Promise.all([once(taken, 'listening'), once(tcp, 'listening')])
  know('web')
  const server = open('1')
  await server.sync()
  assert.equal(server.serves(GATEWAY), false)
  assert.match(log.join(), /cannot answer DNS at a gateway.*EADDRINUSE/)
  taken.close()
  tcp.close()
  know('web', 'more')
  await server.sync()
  assert.equal(server.serves(GATEWAY), true)
  assert.equal(await resolve(web, GATEWAY, 'more'), '10.166.0.1')
})

test('a process that cannot start is reported, and waited for no longer than that', async () => {
  know('web')
  writeFileSync(directory, '')
  const server = open('1')
  await server.sync()
  assert.equal(server.serves(GATEWAY), false)
  assert.match(log.join(), /ENOTDIR|EEXIST/)
  rmSync(directory)
  await server.sync()
  assert.equal(server.serves(GATEWAY), true)
  assert.ok(existsSync(join(directory, 'records.json')))
  assert.equal(readFileSync(join(directory, 'log'), 'utf8'), '')
})
