import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { signalProcess } from '../../src/linux/pidfd.ts'
import { processStat } from '../../src/linux/process.ts'
import { type DaemonFixture, daemonFixture, runContainer, runToEnd } from '../support/daemon-fixture.ts'
import { resolve } from '../support/dns-client.ts'
import { startUpstream, type Upstream } from '../support/dns-upstream.ts'
import { eventually } from '../support/eventually.ts'
import { run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const UPSTREAM = '127.0.0.7'
const SLEEP = { command: ['sleep', '1000'] }

let fixture: DaemonFixture
let upstream: Upstream
let gateway: string
let directory: string

before(async () => {
  upstream = await startUpstream(UPSTREAM, ({ name }) =>
    name.endsWith('.corp.example') ? { rcode: 3 } : { addresses: ['192.0.2.1'] },
  )
  // Before the daemon is: its kernel thread's mount namespace is a copy.
  directory = mkdtempSync('/var/tmp/condenser-dns-')
  const file = join(directory, 'resolv.conf')
  writeFileSync(file, `nameserver ${UPSTREAM}\nsearch corp.example\noptions timeout:1\n`)
  run(undefined, `mount --bind ${file} /etc/resolv.conf`)
  fixture = await daemonFixture()
  gateway = fixture.home.subnet.replace('.0.0/16', '.0.254')
})

after(async () => {
  await fixture[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  run(undefined, 'umount /etc/resolv.conf')
  rmSync(directory, { recursive: true })
})

const remove = (id: string) => fixture.daemon.api.delete(`/v1/containers/${id}/actions/delete?force=true`)

async function inspect(id: string): Promise<{ netns: string; address: string }> {
  const { sandbox } = (await fixture.daemon.api.get(`/v1/containers/${id}/inspect`)).json.data
  return { netns: sandbox.status.netnsPath, address: sandbox.spec.attachments[0].addresses[0].split('/')[0] }
}

/** As a program with glibc in that container looks a name up. */
async function glibcLookup(id: string, netns: string, name: string): Promise<string> {
  const file = join(fixture.home.root, 'containers', id, 'etc/resolv.conf')
  const script = `mount --bind ${file} /etc/resolv.conf && exec nsenter --net=${netns} getent ahostsv4 ${name}`
  return (await promisify(execFile)('unshare', ['--mount', 'sh', '-c', script])).stdout.split(' ')[0]!
}

/** The processes of this daemon's name server. */
function servers(): { pid: number; startTime: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const command = existsSync(`/proc/${name}/cmdline`) ? readFileSync(`/proc/${name}/cmdline`, 'utf8') : ''
      const stat = command.includes(`${fixture.home.run}/dns`) ? processStat(Number(name)) : undefined
      return stat === undefined || stat.isZombie ? [] : [{ pid: Number(name), startTime: stat.startTime }]
    })
}

test('there is no name server before there is a name', () => {
  assert.deepEqual(servers(), [])
})

test('a container is asked for by name, alias of its id, and address, when its start has answered', async () => {
  const web = await runContainer(fixture, { ...SLEEP, name: 'web' })
  const { address, netns } = await inspect(web)
  assert.equal(await resolve(netns, gateway, 'web'), address)
  assert.equal(await resolve(netns, gateway, web), address)
  for (const name of ['db', 'cache']) {
    const id = await runContainer(fixture, { ...SLEEP, name })
    assert.equal(await resolve(netns, gateway, name), (await inspect(id)).address)
    await remove(id)
    await eventually(async () => (await resolve(netns, gateway, name)) === '192.0.2.1')
  }
  await remove(web)
  await fixture.leakCheck()
})

test('containers are told of the gateway, and programs in them find each other and the world', async () => {
  const web = await runContainer(fixture, { ...SLEEP, name: 'web' })
  const { address, netns } = await inspect(web)
  const resolvConf = await runToEnd(fixture, { command: ['cat', '/etc/resolv.conf'] })
  assert.match(
    resolvConf.output,
    new RegExp(`nameserver ${gateway}\n.*search corp.example\n.*options timeout:1\n.*options ndots:0`, 's'),
  )
  assert.doesNotMatch(resolvConf.output, new RegExp(UPSTREAM))
  const local = await runToEnd(fixture, { command: ['nslookup', 'web.'] })
  assert.match(local.output, new RegExp(`Address: ${address}`))
  assert.equal(await glibcLookup(web, netns, 'web'), address)
  assert.equal(await glibcLookup(web, netns, 'other.example'), '192.0.2.1')
  const other = await runToEnd(fixture, { command: ['nslookup', 'other.example'] })
  assert.match(other.output, /Address: 192\.0\.2\.1/)
  await remove(web)
  await fixture.leakCheck()
})

test('lookups go on while the daemon is killed, away, and started again', async () => {
  const web = await runContainer(fixture, { ...SLEEP, name: 'web' })
  const { netns, address } = await inspect(web)
  const [server] = servers()
  let lookups = 0
  const failures: string[] = []
  let looping = true
  const loop = (async () => {
    while (looping) {
      const expected = lookups % 2 === 0 ? address : '192.0.2.1'
      const answer = await resolve(netns, gateway, lookups % 2 === 0 ? 'web' : `n${lookups}.example`)
      if (answer !== expected) failures.push(answer)
      lookups++
      await sleep(2)
    }
  })()
  await fixture.daemon.kill()
  const whileAway = lookups
  await eventually(() => lookups > whileAway + 50)
  await fixture.restart()
  const db = await runContainer(fixture, { ...SLEEP, name: 'db' })
  assert.equal(await resolve(netns, gateway, 'db'), (await inspect(db)).address)
  const afterStart = lookups
  await eventually(() => lookups > afterStart + 50)
  await fixture.restart()
  looping = false
  await loop
  assert.deepEqual(failures, [])
  assert.deepEqual(servers(), [server])
  await remove(db)
  await remove(web)
  await fixture.leakCheck()
})

test('one that dies is started again, with the names that there are', async () => {
  const web = await runContainer(fixture, { ...SLEEP, name: 'web' })
  const { netns, address } = await inspect(web)
  const [server] = servers()
  assert.ok(signalProcess(server!.pid, server!.startTime, 9))
  await eventually(async () => (await resolve(netns, gateway, 'web', { timeoutMs: 200 })) === address)
  assert.equal(servers().length, 1)
  await remove(web)
  await fixture.leakCheck()
})

test('it stays with running containers when the daemon is stopped, and ends with the daemon when there are none', async () => {
  const web = await runContainer(fixture, { ...SLEEP, name: 'web' })
  const [server] = servers()
  await fixture.daemon.stop()
  assert.deepEqual(servers(), [server])
  await fixture.restart()
  await remove(web)
  await fixture.daemon.stop()
  await eventually(servers, ({ length }) => length === 0)
  assert.ok(!(await readFile(join(fixture.home.run, 'dns/log'), 'utf8')).includes('Error'))
  await fixture.restart()
  await fixture.leakCheck()
})

test('one that a killed daemon left without containers is ended by the next one', async () => {
  const web = await runContainer(fixture, { ...SLEEP, name: 'web' })
  await remove(web)
  await fixture.daemon.kill()
  assert.equal(servers().length, 1)
  await fixture.restart()
  await fixture.daemon.stop()
  await eventually(servers, ({ length }) => length === 0)
  await fixture.restart()
  await fixture.leakCheck()
})

test('with dns: false containers ask the host’s servers', async () => {
  const config = await readFile(fixture.home.config, 'utf8')
  writeFileSync(fixture.home.config, `${config}dns: false\n`)
  await fixture.restart()
  const { output } = await runToEnd(fixture, { command: ['cat', '/etc/resolv.conf'] })
  assert.doesNotMatch(output, new RegExp(gateway))
  await eventually(servers, ({ length }) => length === 0)
  writeFileSync(fixture.home.config, config)
  await fixture.restart()
  await fixture.leakCheck()
})
