import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { answers, type CrashOperation, killAtEveryPoint } from '../support/crash.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { startWitness, type Witness } from '../support/witness.ts'

runInOwnNamespaces(import.meta.filename)

const NETWORK = 'victim'
const SERVER = ['httpd', '-f', '-p', '80', '-h', '/etc']
const PATH = `/v1/networks/${NETWORK}`

const create = (api: ApiClient) => api.post('/v1/networks', { bridge: NETWORK, ipv6: true })
const remove = (api: ApiClient) => api.delete(`${PATH}/actions/delete`)
const connect = (api: ApiClient) => api.post(`${PATH}/actions/connect`, { container: 'web', aliases: ['www'] })
const disconnect = (api: ApiClient) => api.post(`${PATH}/actions/disconnect`, { container: 'web' })

describe('a daemon killed with SIGKILL while networks change', () => {
  let fixture: DaemonFixture
  /** By name: its process, which no crash may end. */
  const pids = new Map<string, number>()

  let witness: Witness

  before(async () => {
    fixture = await daemonFixture()
    witness = await startWitness(fixture, { ports: [18082, 18083] })
    for (const [name, port] of [
      ['web', 18080],
      ['other', 18081],
    ] as const) {
      await runContainer(fixture, { name, command: SERVER, port: [`${port}:80`] })
      pids.set(name, (await fixture.daemon.api.get(`/v1/containers/${name}`)).json.data.pid)
    }
  })
  after(async () => {
    await witness[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  const operations: readonly CrashOperation[] = [
    {
      name: 'network create',
      passes: ['network.create.record', 'network.create.bridge', 'network.bridge-link', 'network.rules'],
      prepare: async () => {},
      run: create,
      verify: networkIsWholeOrGone,
      clear: removeNetwork,
    },
    {
      name: 'network remove',
      passes: ['network.remove.record', 'network.remove-bridge', 'network.rules', 'network.remove.done'],
      prepare: async (api) => void (await create(api)),
      run: remove,
      verify: networkIsWholeOrGone,
      clear: removeNetwork,
    },
    {
      name: 'connect',
      passes: ['connect.record', 'connect.links', 'network.plug'],
      prepare: async (api) => void (await create(api)),
      run: connect,
      verify: attachmentIsWholeOrGone,
      clear: removeNetwork,
    },
    {
      name: 'disconnect',
      passes: ['disconnect.record', 'connect.links', 'network.unplug'],
      prepare: async (api) => {
        await create(api)
        await connect(api)
      },
      run: disconnect,
      verify: attachmentIsWholeOrGone,
      clear: removeNetwork,
    },
  ]
  for (const operation of operations)
    test(`${operation.name} is whole or undone, and nothing leaks`, (t) => killAtEveryPoint(t, fixture, operation))

  test('at the end nothing is left', async () => {
    await witness[Symbol.asyncDispose]()
    await fixture.clear()
  })

  /** What the API says of the network is what the kernel has. */
  async function networkIsWholeOrGone(api: ApiClient): Promise<void> {
    await containersAreUntouched(api)
    const isThere = (await api.get(`${PATH}/inspect`)).status === 200
    assert.equal(hasLink(NETWORK), isThere)
    for (const program of ['iptables-save', 'ip6tables-save'])
      assert.equal(execFileSync(program).toString().includes(`RAIND-IN-${NETWORK}`), isThere, program)
    if (!isThere) {
      assert.equal((await create(api)).status, 200)
      assert.ok(hasLink(NETWORK))
    }
    await isUsable(api)
  }

  async function attachmentIsWholeOrGone(api: ApiClient): Promise<void> {
    await containersAreUntouched(api)
    const { containers } = (await api.get(`${PATH}/inspect`)).json.data
    const attached = containers.length === 1
    assert.equal(await linksOf(api, 'web'), attached ? 'eth0 eth1 lo' : 'eth0 lo')
    assert.equal(await hasIpv6(api, 'web'), attached)
    assert.equal(await linksOf(api, 'other'), 'eth0 lo')
    const change = attached ? disconnect : connect
    assert.equal((await change(api)).status, 200)
    assert.equal(await linksOf(api, 'web'), attached ? 'eth0 lo' : 'eth0 eth1 lo')
    if (!attached) assert.equal((await disconnect(api)).status, 200)
    await isUsable(api)
  }

  /** A container can be put there, and is reached and found by name. */
  async function isUsable(api: ApiClient): Promise<void> {
    assert.equal((await connect(api)).status, 200)
    const id = await runContainer(fixture, { command: ['wget', '-qO-', 'http://www/hostname'], network: NETWORK })
    const { exitCode } = (await api.post(`/v1/containers/${id}/actions/wait`)).json.data
    await api.delete(`/v1/containers/${id}/actions/delete?force=true`)
    assert.equal(exitCode, 0)
    assert.equal((await disconnect(api)).status, 200)
  }

  async function containersAreUntouched(api: ApiClient): Promise<void> {
    await witness.assertUnharmed()
    for (const [name, pid] of pids) {
      const { data } = (await api.get(`/v1/containers/${name}`)).json
      assert.deepEqual({ state: data.state, pid: data.pid }, { state: 'running', pid })
    }
    for (const port of [18080, 18081]) await answers(`http://127.0.0.1:${port}/hostname`)
  }

  async function hasIpv6(api: ApiClient, container: string): Promise<boolean> {
    const command = ['ip', '-6', 'route', 'show', 'default']
    const answer = await api.post(`/v1/containers/${container}/actions/exec`, { command, wait: true })
    return answer.json.data.stdout.includes('via fd')
  }

  async function linksOf(api: ApiClient, container: string): Promise<string> {
    const command = ['sh', '-c', 'cd /sys/class/net && echo *']
    const answer = await api.post(`/v1/containers/${container}/actions/exec`, { command, wait: true })
    return answer.json.data.stdout.trim()
  }

  async function removeNetwork(api: ApiClient): Promise<void> {
    await disconnect(api)
    const { status, text } = await remove(api)
    assert.ok(status === 200 || status === 404, text)
    assert.ok(!hasLink(NETWORK))
  }
})

function hasLink(name: string): boolean {
  return execFileSync('ip', ['-br', 'link']).toString().includes(`${name} `)
}
