import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertAgreement } from '../support/agreement.ts'
import { type DaemonFixture, daemonFixture, runContainer } from '../support/daemon-fixture.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

/** Nobody asks the daemon for anything here: it must notice by itself. */
describe('what others do to the host’s network is put right', () => {
  let fixture: DaemonFixture
  const api = () => fixture.daemon.api
  const sh = (command: string) => execFileSync('sh', ['-c', command], { encoding: 'utf8' })
  const saved = () =>
    sh('iptables-save')
      .split('\n')
      .filter((line) => line.includes('RAIND') && !line.startsWith(':'))
      .sort()
  const pages = () => Promise.all([18080, 18081].map((port) => page(port)))
  let rules: string[]

  before(async () => {
    fixture = await daemonFixture()
    assert.equal((await api().post('/v1/networks', { bridge: 'apart' })).status, 200)
    const command = ['httpd', '-f', '-p', '80', '-h', '/etc']
    await runContainer(fixture, { name: 'web', command, port: ['18080:80'] })
    await runContainer(fixture, { name: 'other', command, network: 'apart', port: ['18081:80'] })
    await until(async () => assert.deepEqual(await pages(), [200, 200]))
    rules = saved()
  })
  after(() => fixture[Symbol.asyncDispose]())

  const changes: readonly (readonly [string, () => string])[] = [
    ['the firewall is flushed', () => 'nft flush ruleset'],
    [
      'a firewall is loaded anew, as a service does it',
      () => "printf 'flush ruleset\\ntable inet mine { }\\n' | nft -f -",
    ],
    ['chains are flushed by iptables', () => 'iptables -F; iptables -t nat -F; iptables -t mangle -F'],
    [
      'chains are removed by iptables',
      () => 'for t in raw mangle filter nat; do iptables -t $t -F; iptables -t $t -X; done',
    ],
    ['published ports are removed', () => `nft delete table ip condenser-${fixture.home.bridge}`],
    ['a bridge is deleted', () => `ip link delete ${fixture.home.bridge}`],
    ['bridges are deleted', () => `ip link delete ${fixture.home.bridge}; ip link delete apart`],
    ['a bridge is down', () => 'ip link set apart down'],
    ['a bridge loses its address', () => 'ip address flush dev apart'],
    [
      'the network of the host is restarted',
      () =>
        `nft flush ruleset; ip link delete apart; ip link set ${fixture.home.bridge} down; ip address flush dev ${fixture.home.bridge}`,
    ],
  ]
  for (const [name, change] of changes)
    test(name, async () => {
      const pids = await pidsOf()
      sh(change())
      await until(async () => {
        assert.deepEqual(await pages(), [200, 200])
        assert.deepEqual(saved(), rules)
        await assertAgreement(api())
      })
      assert.deepEqual(await pidsOf(), pids)
    })

  test('rules that go while they are being built anew come again', async () => {
    for (const delayMs of [103, 106, 109, 112, 115, 118, 121, 124]) {
      sh('iptables -t raw -F')
      await sleep(delayMs)
      sh('iptables -t nat -F')
      await until(async () => {
        assert.deepEqual(await pages(), [200, 200])
        assert.deepEqual(saved(), rules)
      })
    }
  })

  test('what is none of ours is left as it was made', async () => {
    sh('iptables -A INPUT -p tcp --dport 9 -j DROP; nft add table inet foreign; ip link add foreign type veth')
    await sleep(500)
    sh('iptables -D INPUT -p tcp --dport 9 -j DROP; nft delete table inet foreign; ip link delete foreign')
    assert.deepEqual(saved(), rules)
  })

  const pidsOf = async () =>
    Promise.all(['web', 'other'].map(async (name) => (await api().get(`/v1/containers/${name}`)).json.data.pid))
})

async function page(port: number): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${port}/passwd`, {
    signal: AbortSignal.timeout(5000),
    headers: { connection: 'close' },
  })
  return status
}

async function until(check: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await check()
    } catch (error) {
      if (tries === 600) throw error
      await sleep(100)
    }
  }
}
