import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, afterEach, before, describe, test } from 'node:test'
import type { WireForward, WireNetwork } from '../../src/api/raind/index.ts'
import { deleteTable } from '../../src/linux/nftables.ts'
import { answers } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { networkCalls } from '../support/network-calls.ts'
import { changeTables } from '../support/nf-tables.ts'

runInOwnNamespaces(import.meta.filename)

/** Of both families: busybox's would take IPv4 only, without. */
const SERVER = ['httpd', '-f', '-p', '[::]:80', '-h', '/etc']
const SLEEP = ['sleep', '1000']

describe('IPv6 on networks', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const { ok, exec, createNetwork, removeNetwork, remove, addressesIn, reaches } = networkCalls(api)

  before(async () => {
    fixture = await daemonFixture()
  })
  afterEach(() => fixture.leakCheck())
  after(() => fixture[Symbol.asyncDispose]())

  test('networks get parts of one prefix, which is drawn once, and say so', async () => {
    const first = await createNetwork({ bridge: 'first', ipv6: true })
    assert.match(first.subnet6, /^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/64$/)
    const prefix = first.subnet6.replace('::/64', '')
    assert.equal(first.gateway6, `${prefix}::1`)
    await fixture.restart()
    const second = await createNetwork({ bridge: 'second', ipv6: true })
    assert.equal(second.subnet6, `${prefix}:1::/64`)
    const given = await createNetwork({ bridge: 'given', subnet6: '2001:DB8:0:7::/64', gateway6: '2001:db8:0:7::00ff' })
    assert.deepEqual([given.subnet6, given.gateway6], ['2001:db8:0:7::/64', '2001:db8:0:7::ff'])
    await createNetwork({ bridge: 'plain' })

    const listed = new Map((await ok(api().get('/v1/networks'))).map((one: WireNetwork) => [one.Name, one]))
    const of = (name: string) => listed.get(name) as WireNetwork
    assert.deepEqual([of('first').Subnet6, of('first').Address6], [first.subnet6, `${prefix}::1/64`])
    assert.equal(of('plain').Subnet6, undefined)
    const { spec } = await ok(api().get('/v1/networks/given/inspect'))
    assert.deepEqual(spec.ipv6, { subnet: '2001:db8:0:7::/64', gateway: '2001:db8:0:7::ff' })
    const rules = execFileSync('ip6tables-save').toString()
    assert.ok(rules.includes('RAIND-IN-given') && !rules.includes('RAIND-IN-plain'))
    assert.equal(execFileSync('ip', ['-6', 'addr', 'show', 'plain']).toString(), '')
    for (const name of ['first', 'second', 'given', 'plain']) await removeNetwork(name)
    assert.doesNotMatch(execFileSync('ip6tables-save').toString(), /RAIND/)
  })

  test('bad input and conflicts are refused, and nothing is left', async () => {
    execFileSync('ip', ['link', 'add', 'hostlink', 'type', 'bridge'])
    execFileSync('ip', ['address', 'add', 'fd77::1/64', 'dev', 'hostlink'])
    await createNetwork({ bridge: 'one', subnet6: 'fd70:0:0:1::/64' })
    await createNetwork({ bridge: 'plain' })
    const cases: readonly [object, number, RegExp][] = [
      [{ subnet6: 'fd70:0:0:1:8000::/65' }, 409, /overlaps with network "one"/],
      [{ subnet6: 'fd77::/48' }, 409, /fd77::\/64 of this host/],
      [{ subnet6: 'fd71::/64', gateway6: 'fd72::1' }, 400, /Invalid gateway/],
      [{ subnet6: 'fd71::/64', gateway6: 'fd71::' }, 400, /Invalid gateway/],
      [{ subnet6: 'fd71::/64', gateway6: '10.0.0.1' }, 400, /Invalid gateway/],
      [{ subnet6: 'fd71::1/64' }, 400, /the network with that prefix is fd71::\/64/],
      [{ subnet6: 'fd71::/127' }, 400, /prefix from 16 to 125/],
      [{ subnet6: 'fe80::/64' }, 400, /no host can have/],
      [{ subnet6: 'ff02::/64' }, 400, /no host can have/],
      [{ subnet6: '::ffff:10.0.0.0/112' }, 400, /no host can have/],
      [{ subnet6: '10.1.0.0/24' }, 400, /want IPv6 CIDR/],
      [{ subnet: 'fd71::/64' }, 400, /want IPv4 CIDR .*; one of IPv6 is given as subnet6/],
      [{ subnet6: 'fd71::/64', ipv6: false }, 400, /without IPv6/],
      [{ ipv6: 'yes' }, 400, /ipv6/],
    ]
    for (const [body, status, message] of cases) {
      const answer = await api().post('/v1/networks', { bridge: 'two', ...body })
      assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`)
      assert.match(answer.json.message, message)
    }
    const id = await runContainer(fixture, {
      command: SLEEP,
      networks: [{ network: 'one', address6: 'FD70:0:0:1:0::9' }],
    })
    assert.equal((await addressesIn(id, 'one'))[1], 'fd70:0:0:1::9')
    const creations: readonly [object, number, RegExp][] = [
      [{ networks: [{ network: 'one', address6: 'fd70:0:0:1::0009' }] }, 409, /is taken/],
      [{ networks: [{ network: 'one', address6: 'fd70:0:0:1::1' }] }, 400, /Invalid address/],
      [{ networks: [{ network: 'one', address6: 'fd70:0:0:2::9' }] }, 400, /Invalid address/],
      [{ networks: [{ network: 'one', address6: 'x'.repeat(1000) }] }, 400, /Invalid address/],
      [{ networks: [{ network: 'plain', address6: 'fd70:0:0:1::8' }] }, 400, /has no IPv6/],
      [{ networks: [{ network: 'none', address6: 'fd70:0:0:1::8' }] }, 400, /neither address/],
      [{ network: 'plain', port: ['[::]:8080:80'] }, 400, /has no IPv6 address/],
      [{ network: 'one', port: ['[::1]:8080:80'] }, 400, /::1 cannot be led elsewhere/],
      [{ network: 'one', port: ['[2001:db8::7]:8080:80'] }, 400, /this host has no such address/],
      [{ network: 'one', port: ['[::ffff:1.2.3.4]:8080:80'] }, 400, /this host has no such address/],
      [{ network: 'one', port: ['[::]:8080:80', '8080:81'] }, 400, /twice/],
    ]
    for (const [body, status, message] of creations) {
      const answer = await api().post('/v1/containers', { image: fixture.image, ...body })
      assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`)
      assert.match(answer.json.message, message)
    }
    await remove(id)
    await removeNetwork('one')
    await removeNetwork('plain')
    execFileSync('ip', ['link', 'delete', 'hostlink'])
  })

  test('containers have an address of each family, reach each other, and are found by name', async () => {
    const { subnet6 } = await createNetwork({ bridge: 'front', ipv6: true })
    const base = subnet6.replace('/64', '')
    await createNetwork({ bridge: 'back', ipv6: true })
    const web = await runContainer(fixture, { name: 'web', command: SERVER, network: 'front' })
    const client = await runContainer(fixture, { command: SLEEP, network: 'front' })
    const apart = await runContainer(fixture, { command: SLEEP, network: 'back' })
    const plain = await runContainer(fixture, { command: SLEEP })
    assert.equal((await addressesIn(web, 'front'))[1], `${base}2`)
    assert.equal((await ok(api().get(`/v1/containers/${web}`))).address6, `${base}2`)
    assert.ok(await reaches(client, `${base}2`))
    assert.ok(await reaches(client, `${base}1`))
    assert.ok(!(await reaches(apart, `${base}2`, 1)), 'networks are apart')
    assert.equal((await exec(plain, ['ip', '-6', 'addr', 'show', 'eth0'])).stdout, '', 'others have none')
    assert.match((await exec(client, ['nslookup', '-type=aaaa', 'web'])).stdout, new RegExp(`Address: ${base}2\n`))
    assert.match((await exec(client, ['nslookup', `${base}2`])).stdout, /name = web/)
    assert.match((await exec(web, ['cat', '/etc/hosts'])).stdout, new RegExp(`^${base}2\t${web}$`, 'm'))
    assert.equal((await exec(client, ['wget', '-qO-', `http://[${base}2]/hostname`])).stdout, `${web}\n`)

    // An address just freed rests, as of IPv4.
    await remove(client)
    const next = await runContainer(fixture, { command: SLEEP, network: 'front' })
    assert.equal((await addressesIn(next, 'front'))[1], `${base}4`)
    for (const id of [web, next, apart, plain]) await remove(id)
    for (const name of ['front', 'back']) await removeNetwork(name)
  })

  test('ports are published on both families, or the one that is named, across a restart and a crash', async () => {
    const { gateway6 } = await createNetwork({ bridge: 'front', ipv6: true })
    const body = { command: SERVER, network: 'front', port: ['8080:80', '[::]:8081:80', '127.0.0.1:8082:80', '80'] }
    const id = await runContainer(fixture, body)
    const forwards: WireForward[] = (await ok(api().get(`/v1/containers/${id}`))).forwards
    const free = forwards[4]!.source
    assert.deepEqual(
      forwards.map(({ hostIp, source }) => `${hostIp} ${source}`),
      ['0.0.0.0 8080', ':: 8080', ':: 8081', '127.0.0.1 8082', `0.0.0.0 ${free}`, `:: ${free}`],
    )
    const answer = async () => {
      for (const port of [8080, free]) {
        await answers(`http://[${gateway6}]:${port}/hostname`)
        await answers(`http://127.0.0.1:${port}/hostname`)
      }
      await answers(`http://[${gateway6}]:8081/hostname`)
      await answers('http://127.0.0.1:8082/hostname')
      for (const closed of [`[${gateway6}]:8082`, '127.0.0.1:8081', '[::1]:8080'])
        await assert.rejects(fetch(`http://${closed}/hostname`), closed)
    }
    await answer()
    const taken = await api().post('/v1/containers', { image: fixture.image, network: 'front', port: ['[::]:8080:80'] })
    assert.equal(taken.status, 409, taken.text)

    await fixture.restart()
    await answer()
    await fixture.daemon.kill()
    await fixture.restart()
    await answer()
    await ok(api().post(`/v1/containers/${id}/actions/restart?timeout=0`))
    assert.deepEqual((await ok(api().get(`/v1/containers/${id}`))).forwards, forwards, 'the free port is the same')
    await answer()
    await remove(id)
    await removeNetwork('front')
  })

  test('a running container is connected to IPv6 and disconnected, and stays so', async () => {
    const { subnet6 } = await createNetwork({ bridge: 'extra', ipv6: true })
    const base = subnet6.replace('/64', '')
    const id = await runContainer(fixture, { command: SLEEP })
    const peer = await runContainer(fixture, { command: SLEEP, network: 'extra' })
    await ok(api().post('/v1/networks/extra/actions/connect', { container: id, address6: `${base}77` }))
    assert.ok(await reaches(peer, `${base}77`))
    assert.match((await exec(id, ['ip', '-6', 'route'])).stdout, new RegExp(`default via ${base}1 dev eth1`))
    await fixture.daemon.kill()
    await fixture.restart()
    assert.ok(await reaches(id, `${base}2`))
    await ok(api().post('/v1/networks/extra/actions/disconnect', { container: id }))
    assert.equal((await exec(id, ['ip', '-6', 'addr', 'show', 'scope', 'global'])).stdout, '')
    await remove(id)
    await remove(peer)
    await removeNetwork('extra')
  })

  test('a host that has lost IPv6 refuses it, and all else goes on', async () => {
    await createNetwork({ bridge: 'front', ipv6: true })
    await fixture.daemon.stop()
    execFileSync('mount', ['-t', 'tmpfs', 'none', '/proc/sys/net/ipv6'])
    try {
      await fixture.restart()
      const refused = await api().post('/v1/networks', { bridge: 'two', ipv6: true })
      assert.match(refused.json.message, /Cannot use IPv6: the kernel of this host has none/)
      assert.equal(refused.json.code, 'failed_precondition')
      const id = await runContainer(fixture, { command: SERVER, port: ['8080:80'] })
      await answers('http://127.0.0.1:8080/hostname')
      await remove(id)
      await createNetwork({ bridge: 'plain' })
      for (const name of ['plain', 'front']) await removeNetwork(name)
    } finally {
      execFileSync('umount', ['/proc/sys/net/ipv6'])
    }
    // Its mount namespace is a copy of ours, with the mount.
    await fixture.restart()
    // What a kernel that has really lost it would not have.
    clearIp6tables()
    changeTables(deleteTable({ family: 6, name: 'condenser-front' }))
  })

  test('a bridge that a reboot has taken comes back with its IPv6 addresses and rules', async () => {
    const { gateway6 } = await createNetwork({ bridge: 'front', ipv6: true })
    await fixture.daemon.stop()
    execFileSync('ip', ['link', 'delete', 'front'])
    clearIp6tables()
    await fixture.restart()
    assert.match(execFileSync('ip', ['-6', 'addr', 'show', 'front']).toString(), new RegExp(`inet6 ${gateway6}/64`))
    assert.match(execFileSync('ip6tables-save').toString(), /RAIND-IN-front/)
    await removeNetwork('front')
  })
})

function clearIp6tables(): void {
  for (const table of ['raw', 'mangle', 'filter', 'nat'])
    for (const flag of ['-F', '-X']) execFileSync('ip6tables', ['-t', table, flag])
}
