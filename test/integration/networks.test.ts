import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, afterEach, before, describe, test } from 'node:test'
import type { WireForward, WireNetwork, WireNetworkInspect } from '../../src/api/raind/index.ts'
import { type DaemonFixture, daemonFixture, runContainer, runToEnd } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { networkCalls } from '../support/network-calls.ts'

runInOwnNamespaces(import.meta.filename)

describe('networks', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const { ok, exec, attachments, createNetwork, removeNetwork, remove, addressesIn, reaches } = networkCalls(api)
  const addressIn = async (ref: string, network: string) => (await addressesIn(ref, network))[0]!

  before(async () => {
    fixture = await daemonFixture()
  })
  afterEach(() => fixture.leakCheck())
  after(() => fixture[Symbol.asyncDispose]())

  test('are made, listed, inspected and removed', async () => {
    const made = await createNetwork({ bridge: 'front', labels: { tier: 'web' } })
    assert.match(made.subnet, /^10\.\d+\.\d+\.0\/24$/)
    const listed = (await ok(api().get('/v1/networks'))).find((one: WireNetwork) => one.Name === 'front')
    assert.deepEqual(
      [listed.Interface, listed.Subnet, listed.NumContainers, listed.Labels],
      ['front', made.subnet, 0, { tier: 'web' }],
    )
    assert.match(execFileSync('ip', ['-br', 'address', 'show', 'front']).toString(), new RegExp(made.gateway))

    const long = 'a-name-too-long-for-a-link'
    await createNetwork({ bridge: long, subnet: '10.99.0.0/28', gateway: '10.99.0.1' })
    const { spec } = await ok(api().get(`/v1/networks/${long}/inspect`))
    assert.match(spec.bridge, /^rd-[0-9a-f]{10}$/)
    assert.deepEqual([spec.subnet, spec.gateway], ['10.99.0.0/28', '10.99.0.1'])
    await removeNetwork(long)
    await removeNetwork('front')
    assert.throws(() => execFileSync('ip', ['link', 'show', 'front'], { stdio: 'pipe' }))
  })

  test('bad input and conflicts are refused, and nothing is left', async () => {
    execFileSync('ip', ['link', 'add', 'hostlink', 'type', 'bridge'])
    execFileSync('ip', ['address', 'add', '10.98.0.1/24', 'dev', 'hostlink'])
    await createNetwork({ bridge: 'one', subnet: '10.97.0.0/24' })
    const cases: readonly [object, number, RegExp][] = [
      [{ bridge: 'host' }, 400, /cannot be called "host"/],
      [{ bridge: '../x' }, 400, /Invalid network name/],
      [{ bridge: 'one' }, 409, /already/],
      [{ bridge: 'two', subnet: '10.97.0.128/25' }, 409, /overlaps with network "one"/],
      [{ bridge: 'two', subnet: '10.98.0.0/16' }, 409, /of this host/],
      [{ bridge: 'hostlink' }, 409, /this host has a link/],
      [{ bridge: 'two', subnet: '10.96.0.0/24', gateway: '10.95.0.1' }, 400, /Invalid gateway/],
      [{ bridge: 'two', subnet: '10.96.0.1/24' }, 400, /10\.96\.0\.0\/24/],
      [{ bridge: 'two', subnet: 'x' }, 400, /Invalid subnet/],
      [{ bridge: 'two', mtu: 1 }, 400, /mtu/],
      [{ name: 'two' }, 400, /bridge/],
    ]
    for (const [body, status, message] of cases) {
      const answer = await api().post('/v1/networks', body)
      assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`)
      assert.match(answer.json.message, message)
    }
    const id = await runContainer(fixture, { name: 'user', command: ['sleep', '1000'], network: 'one' })
    const inUse = await api().delete('/v1/networks/one/actions/delete')
    assert.equal(inUse.status, 409)
    assert.match(inUse.json.message, /"user" is attached/)
    await remove(id)
    await removeNetwork('one')
    assert.equal((await api().delete('/v1/networks/one/actions/delete')).status, 404)
    const [own] = await ok(api().get('/v1/networks'))
    assert.equal((await api().delete(`/v1/networks/${own.Name}/actions/delete`)).status, 409)
    execFileSync('ip', ['link', 'delete', 'hostlink'])
  })

  test('a container may have several, with aliases and fixed addresses; they are apart from each other', async () => {
    const { subnet } = await createNetwork({ bridge: 'front' })
    await createNetwork({ bridge: 'back' })
    const fixed = subnet.replace('0/24', '77')
    const both = await runContainer(fixture, {
      command: ['sleep', '1000'],
      networks: [{ network: 'front', address: fixed, aliases: ['web', 'www'] }, { network: 'back' }],
    })
    const front = await runContainer(fixture, { command: ['sleep', '1000'], network: 'front' })
    const back = await runContainer(fixture, { command: ['sleep', '1000'], network: 'back' })
    const [first, second] = await attachments(both)
    assert.deepEqual([first!.interface, first!.addresses, first!.aliases], ['eth0', [`${fixed}/24`], ['web', 'www']])
    assert.equal(second!.interface, 'eth1')
    assert.match((await exec(both, ['ip', 'route'])).stdout, new RegExp(`default via ${subnet.replace('0/24', '254')}`))

    assert.ok(await reaches(front, fixed))
    assert.ok(await reaches(back, await addressIn(both, 'back')))
    assert.ok(!(await reaches(front, await addressIn(back, 'back'), 1)), 'networks are apart')
    assert.ok(!(await reaches(back, fixed, 1)))

    const taken = await api().post('/v1/containers', {
      image: fixture.image,
      networks: [{ network: 'front', address: fixed }],
    })
    assert.equal(taken.status, 409)
    for (const networks of [
      [{ network: 'front' }, { network: 'front' }],
      [{ network: 'host' }, { network: 'front' }],
      [{ network: 'front', address: '1.2.3.4' }],
      [{ network: 'front', aliases: ['not a name'] }],
    ]) {
      const { status, text } = await api().post('/v1/containers', { image: fixture.image, networks })
      assert.ok(status === 400 || status === 409, text)
    }
    assert.equal((await api().post('/v1/containers', { image: fixture.image, network: 'nowhere' })).status, 404)
    for (const id of [both, front, back]) await remove(id)
    for (const name of ['front', 'back']) await removeNetwork(name)
  })

  test('a running container is connected and disconnected, and stays so across restarts of both', async () => {
    await createNetwork({ bridge: 'extra' })
    const id = await runContainer(fixture, { command: ['sleep', '1000'], port: ['127.0.0.1:0:80'] })
    const peer = await runContainer(fixture, { command: ['sleep', '1000'], network: 'extra' })
    const peerAddress = await addressIn(peer, 'extra')
    const { pid } = await ok(api().get(`/v1/containers/${id}`))
    assert.ok(!(await reaches(id, peerAddress, 1)))

    await ok(api().post('/v1/networks/extra/actions/connect', { container: id, aliases: ['db'] }))
    assert.ok(await reaches(id, peerAddress))
    assert.equal((await ok(api().get(`/v1/containers/${id}`))).pid, pid, 'it was not restarted')
    const again = await api().post('/v1/networks/extra/actions/connect', { container: id })
    assert.equal(again.status, 409)
    const { containers } = await ok(api().get('/v1/networks/extra/inspect'))
    assert.deepEqual(
      containers.map(({ aliases }: WireNetworkInspect['containers'][number]) => aliases),
      [['db'], []],
    )

    fixture.daemon.kill()
    await fixture.restart()
    assert.ok(await reaches(id, peerAddress))
    await ok(api().post(`/v1/containers/${id}/actions/stop?timeout=0`))
    await ok(api().post(`/v1/containers/${id}/actions/start`, {}))
    assert.ok(await reaches(id, peerAddress))

    const [main] = await attachments(id)
    await ok(api().post(`/v1/networks/${main!.network}/actions/disconnect`, { container: id }))
    assert.match((await exec(id, ['ip', 'route'])).stdout, /^default via .* dev eth1/m)
    assert.doesNotMatch((await exec(id, ['ip', 'link'])).stdout, /eth0/)
    await ok(api().post('/v1/networks/extra/actions/disconnect', { container: id }))
    assert.deepEqual(await attachments(id), [])
    assert.equal((await api().post('/v1/networks/extra/actions/disconnect', { container: id })).status, 409)
    await remove(id)
    await remove(peer)
    await removeNetwork('extra')
  })

  test('host and none', async () => {
    const links = await runToEnd(fixture, { network: 'none', command: ['sh', '-c', 'ls /sys/class/net'] })
    assert.equal(links.output, 'lo\n')
    execFileSync('ip', ['link', 'add', 'seen', 'type', 'bridge'])
    const host = await runToEnd(fixture, { network: 'host', command: ['ip', 'link', 'show', 'seen'] })
    assert.match(host.output, /seen/)
    execFileSync('ip', ['link', 'delete', 'seen'])
    for (const network of ['host', 'none']) {
      const { status } = await api().post('/v1/containers', { image: fixture.image, network, port: ['80'] })
      assert.equal(status, 400)
    }
  })

  test('ports are published in ranges', async () => {
    const body = { command: ['sleep', '1000'], port: ['127.0.0.1:18000-18002:80-82'] }
    const id = await runContainer(fixture, body)
    const { forwards } = await ok(api().get(`/v1/containers/${id}`))
    assert.deepEqual(
      forwards.map(({ source, destination }: WireForward) => [source, destination]),
      [
        [18000, 80],
        [18001, 81],
        [18002, 82],
      ],
    )
    await remove(id)
  })
})
