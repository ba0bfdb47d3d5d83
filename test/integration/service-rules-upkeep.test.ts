import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '../../src/lib/log.ts'
import { inlineKernelThread } from '../../src/linux/kernel-thread.ts'
import { openNetfilterSocket, readGeneration } from '../../src/linux/nftables.ts'
import { spawnOps } from '../../src/linux/spawn.ts'
import type { NetworkSpec } from '../../src/model/network.ts'
import { createNetwork, type NetworkDriver, networkOps, type ServiceRule } from '../../src/network/index.ts'
import { eventually } from '../support/eventually.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ctx, type NetworkFixture, openNetwork, raind0, restored, tcp } from '../support/sandbox-network.ts'
import { service, services } from '../support/service-network.ts'
import { ask, serve } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

const raind1: NetworkSpec = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }
const A = '10.166.0.1'
const web = service([`${A}:80`, '10.166.0.2:80', '10.166.0.3:80'], { nodePort: 30_080 })
const unserved = service([], { uid: 'unserved', name: 'unserved', clusterIp: '10.96.0.6', hostPort: 8081 })

const sh = (command: string) => execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: 'pipe' })

/** The rules, less what changes with every packet or has no order. */
function rulesNow(pattern = /RAIND-(SVC|SEP|SVCS|NODE|NOEP)-/): string[] {
  return sh('iptables-save')
    .split('\n')
    .map((line) => line.replace(/ \[\d.*/, ''))
    .filter((line) => pattern.test(line))
    .sort()
}

/** Counts up with every change, whatever it changes. */
function generation(): number {
  using socket = openNetfilterSocket()
  return readGeneration(socket)
}

async function openServices(...rules: ServiceRule[]): Promise<NetworkFixture> {
  const network = await openNetwork(raind0, services)
  await network.driver.setServices(ctx, rules)
  return network
}

/** Of a daemon that is started after the first one has died. */
function nextDriver(network: NetworkFixture): NetworkDriver {
  const thread = inlineKernelThread({ ...networkOps, ...spawnOps })
  return createNetwork({ thread, netnsDir: join(network.dir, 'netns'), log: silentLogger, services })
}

describe('rules that others change', () => {
  const choice = "$(iptables -t nat -S | sed -n 's/^-N \\(RAIND-SVC-.*\\)/\\1/p')"
  const damages: Readonly<Record<string, string>> = {
    'the table of nat was flushed': 'iptables -t nat -F',
    'its chains were removed': 'iptables -t nat -F; iptables -t nat -X',
    'the ruleset was flushed': 'nft flush ruleset',
    'the jump to the Services was deleted': 'iptables -t nat -D OUTPUT -d 10.96.0.0/16 -j RAIND-SVCS-raind0',
    'a Service was emptied': `iptables -t nat -F ${choice}`,
    'a rule of a Service was deleted': `iptables -t nat -D ${choice} 2`,
    'a rule was added to a Service': `iptables -t nat -I ${choice} -j RETURN`,
    'what refuses connections was flushed': 'iptables -F RAIND-NOEP-raind0',
    'something else leads to a Service': `iptables -t nat -I PREROUTING -j ${choice}`,
  }
  for (const [what, command] of Object.entries(damages)) {
    test(`are found, and put back when that is asked for: ${what}`, async () => {
      await using network = await openServices(web, unserved)
      const rules = rulesNow()
      assert.deepEqual(await network.driver.inspectRules(ctx), [])
      sh(command)
      assert.match((await network.driver.inspectRules(ctx)).join('\n'), /iptables lacks rules of Services: /)
      await network.driver.mendRules(ctx)
      assert.deepEqual(rulesNow(), rules)
      assert.deepEqual(await network.driver.inspectRules(ctx), [])
    })

    test(`are put back with the next change: ${what}`, async () => {
      await using network = await openServices(web)
      const other = service([`${A}:80`], { uid: 'other', clusterIp: '10.96.0.7' })
      await network.driver.setServices(ctx, [other])
      const rules = rulesNow()
      await network.driver.setServices(ctx, [web])
      sh(command)
      await network.driver.setServices(ctx, [other])
      assert.deepEqual(rulesNow(), rules)
    })
  }

  test('are put back unasked', async () => {
    await using network = await openServices(web, unserved)
    const rules = rulesNow()
    using _watch = await network.driver.watch(() => {})
    for (const command of Object.values(damages)) {
      sh(command)
      await eventually(rulesNow, (now) => now.join('\n') === rules.join('\n'))
    }
  })

  test('are left alone as long as the change is none of ours', async () => {
    await using network = await openServices(web)
    sh('iptables -t nat -A POSTROUTING -s 203.0.113.9/32 -j RETURN; iptables -A INPUT -p tcp --dport 9 -j DROP')
    await network.publish('web', A, tcp(8080, 80))
    const before = rulesNow(/^[-:*]/)
    const watch = await network.driver.watch(() => {})
    sh('iptables -A INPUT -p tcp --dport 10 -j DROP')
    await sleep(300)
    watch[Symbol.dispose]()
    await network.driver.setServices(ctx, [unserved])
    await network.driver.setServices(ctx, [web])
    assert.deepEqual(
      rulesNow(/^[-:*]/).filter((line) => !/--dport 10 /.test(line)),
      before,
    )
    sh('iptables -t nat -F POSTROUTING; iptables -F INPUT')
  })
})

describe('a daemon that is started', () => {
  test('changes nothing that is right, and nothing at all before it is told of Services', async () => {
    await using network = await openServices(web, unserved)
    const next = nextDriver(network)
    await next.restore(ctx, [raind0], new Map())
    const before = generation()
    await next.enforce()
    assert.equal(generation(), before)
    await next.setServices(ctx, [unserved, { ...web, endpoints: web.endpoints.toReversed() }])
    assert.equal(generation(), before)
    assert.deepEqual(await next.inspectRules(ctx), [])
  })

  test('may be told of Services first', async () => {
    await using network = await openServices(web)
    const rules = rulesNow()
    const next = nextDriver(network)
    await next.setServices(ctx, [unserved])
    assert.deepEqual(rulesNow(), rules)
    await restored(next, [raind0], new Map())
    assert.ok(rulesNow().some((line) => line.includes('"default/unserved"')))
    assert.ok(!rulesNow().some((line) => line.includes('"default/web"')))
  })

  test('removes what the one before has left', async () => {
    await using network = await openServices(unserved)
    const rules = rulesNow()
    const many = Array.from({ length: 80 }, (_, index) => ({
      ...web,
      uid: `web-${index}`,
      clusterIp: `10.96.1.${index}`,
    }))
    await network.driver.setServices(ctx, [...many, unserved])
    assert.equal(rulesNow(/^:RAIND-(SVC|SEP)-/).length, 80 * 4)
    const next = nextDriver(network)
    await restored(next, [raind0], new Map())
    await next.setServices(ctx, [unserved])
    assert.deepEqual(rulesNow(), rules)
  })

  test('leaves those of another one alone, which has a bridge of its own and the same subnet of Services', async () => {
    await using first = await openServices(web)
    const a = await first.sandbox('a', A)
    await using _server = await serve(a, 'tcp', 80, 'a')
    await first.driver.setServices(ctx, [service([`${A}:80`])])
    {
      await using second = await openNetwork(raind1, { bridge: 'raind1', subnet: '10.96.0.0/16' })
      const b = await second.sandbox('b', '10.167.0.1')
      await using _b = await serve(b, 'tcp', 80, 'b')
      const rules = rulesNow()
      await second.driver.setServices(ctx, [service(['10.167.0.1:80'], { uid: 'b', clusterIp: '10.96.0.9' })])
      assert.match(await ask(undefined, 'tcp', '10.96.0.5', 443), /^a /)
      assert.match(await ask(undefined, 'tcp', '10.96.0.9', 443), /^b /)
      await first.driver.mendRules(ctx)
      await restored(nextDriver(first), [raind0], new Map())
      assert.match(await ask(b, 'tcp', '10.96.0.9', 443), /^b /)
      assert.match(await ask(a, 'tcp', '10.96.0.5', 443), /^a /)
      await second.driver.setServices(ctx, [])
      assert.deepEqual(
        rulesNow().filter((line) => !line.includes('raind1')),
        rules,
      )
    }
    assert.match(await ask(undefined, 'tcp', '10.96.0.5', 443), /^a /)
    assert.deepEqual(await first.driver.inspectRules(ctx), [])
    assert.doesNotMatch(sh('iptables-save'), /raind1/)
  })
})

test('those who change Services at the same time all wait for the last of them, and nothing is left of the others', async () => {
  await using network = await openServices()
  const before = rulesNow()
  const address = (index: number) => `10.166.1.${index}:80`
  await Promise.all(
    Array.from({ length: 50 }, (_, index) => network.driver.setServices(ctx, [service([address(index)])])),
  )
  assert.deepEqual(
    rulesNow(/--to-destination/).map((line) => line.split(' ').at(-1)),
    [address(49)],
  )
  await network.driver.setServices(ctx, [])
  assert.deepEqual(rulesNow(), before)
})

test('what cannot be a rule is refused, and changes nothing', async () => {
  await using network = await openServices(web)
  const before = generation()
  await assert.rejects(network.driver.setServices(ctx, [{ ...web, clusterIp: '10.97.0.1' }]), {
    code: 'invalid_argument',
    message: /"default\/web".*10\.97\.0\.1 is not in 10\.96\.0\.0\/16/,
  })
  assert.equal(generation(), before)
  await using without = await openNetwork(raind1)
  await assert.rejects(without.driver.setServices(ctx, [web]), { code: 'failed_precondition' })
})

test('a bridge that was deleted comes back with the way to Services', async () => {
  await using network = await openServices(service(['10.166.0.254:80']))
  await using _server = await serve(undefined, 'tcp', 80, 'host')
  assert.match(await ask(undefined, 'tcp', '10.96.0.5', 443), /^host /)
  sh('ip link delete raind0')
  assert.equal(sh('ip route show 10.96.0.0/16'), '')
  await network.driver.ensureBridge(ctx, raind0)
  assert.match(await ask(undefined, 'tcp', '10.96.0.5', 443), /^host /)
})

test('with the networks the rules go', async () => {
  {
    await using network = await openServices(web, unserved)
    await network.driver.ensureBridge(ctx, raind1)
    assert.ok(rulesNow().includes('-A PREROUTING -d 10.96.0.0/16 -i raind1 -j RAIND-SVCS-raind0'))
    await network.driver.removeBridge(ctx, raind1)
    assert.ok(!rulesNow().some((line) => line.includes('raind1')))
    await network.driver.setServices(ctx, [])
    assert.deepEqual(rulesNow(), [])
    await network.driver.setServices(ctx, [web])
  }
  assert.deepEqual(rulesNow(/RAIND/), [])
  assert.doesNotMatch(sh('ip route'), /10\.96/)
})

const LEGACY = '/usr/sbin/xtables-legacy-multi'
test('with iptables-legacy it is all the same', { skip: !existsSync(LEGACY) && 'not installed' }, async (t) => {
  sh(`mount --bind ${LEGACY} "$(readlink -f /usr/sbin/iptables)"`)
  try {
    if (!/legacy/.test(sh('iptables -V; iptables-save >&2'))) return t.skip('this kernel has none')
    await using network = await openServices()
    const before = rulesNow()
    const a = await network.sandbox('a', A)
    await using _server = await serve(a, 'tcp', 80, 'a')
    await network.driver.setServices(ctx, [service([`${A}:80`]), unserved])
    assert.match(await ask(undefined, 'tcp', '10.96.0.5', 443), /^a /)
    assert.match(await ask(a, 'tcp', '10.96.0.5', 443), /^a 10\.166\.0\.254$/)
    assert.deepEqual(await network.driver.inspectRules(ctx), [])
    sh('iptables -t nat -F RAIND-SVCS-raind0')
    assert.match((await network.driver.inspectRules(ctx)).join(), /lacks rules of Services/)
    await network.driver.mendRules(ctx)
    assert.match(await ask(undefined, 'tcp', '10.96.0.5', 443), /^a /)
    await network.driver.setServices(ctx, [web])
    sh('iptables -t nat -F; iptables -t nat -X')
    await network.driver.setServices(ctx, [])
    assert.deepEqual(rulesNow(), before)
  } finally {
    sh('umount "$(readlink -f /usr/sbin/iptables)"')
  }
})
