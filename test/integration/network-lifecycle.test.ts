import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startKernelThread } from '../../src/linux/kernel-thread.ts'
import { addElements, createTable, deleteElements, deleteTable } from '../../src/linux/nftables.ts'
import { addressField, portField, protocolField } from '../../src/linux/nftables-expressions.ts'
import { createNetwork, defaultMac, freeHostPort, hostPortIsFree, nextAddress } from '../../src/network/index.ts'
import { eventually } from '../support/eventually.ts'
import { addNeighbour, run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { changeTables, flushRuleset, portTables } from '../support/nf-tables.ts'
import { ctx, openNetwork, raind0, restored, tcp, udp } from '../support/sandbox-network.ts'
import { ask, askFrom, isClosed, openEcho, openUdp, serve, serveEcho } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

const raind1 = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }

function hostLinks(): string[] {
  return run(undefined, 'ip -o link')
    .split('\n')
    .map((line) => line.split(/:? /)[1]?.split('@')[0] ?? '')
    .filter((name) => /^rd[0-9a-f]{12}$/.test(name))
}

/** What iptables holds, less the counters. */
function rulesNow(): string[] {
  return run(undefined, 'iptables-save')
    .split('\n')
    .filter((line) => line.startsWith('-A'))
}

describe('bridges', () => {
  test('are made with address, MTU and sysctls, and may be ensured again', async () => {
    await using network = await openNetwork()
    await network.driver.ensureBridge(ctx, raind0)
    const link = run(undefined, 'ip -d addr show raind0')
    assert.match(link, /inet 10\.166\.0\.254\/20 .*\n/)
    assert.match(link, /nf_call_iptables 1 /)
    assert.match(link, /link\/ether 02:42:0a:a6:00:fe /)
    assert.equal(link.match(/inet /g)?.length, 1)
    const sysctls = 'net.ipv4.ip_forward net.ipv4.conf.raind0.route_localnet net.ipv4.conf.all.route_localnet'
    assert.deepEqual(run(undefined, `sysctl -n ${sysctls}`).split('\n'), ['1', '1', '0', ''])
  })

  test("take the MTU of the default route's link", async () => {
    run(undefined, 'ip link add up0 mtu 1400 type veth peer name up1')
    run(undefined, 'ip addr add 192.0.2.1/24 dev up0')
    run(undefined, 'ip link set up0 up')
    run(undefined, 'ip route add default via 192.0.2.2')
    await using network = await openNetwork()
    const netns = await network.sandbox('a', '10.166.0.1')
    assert.match(run(undefined, 'ip link show raind0'), / mtu 1400 /)
    assert.match(run(netns, 'ip link show eth0'), / mtu 1400 /)
    run(undefined, 'ip link del up0')
  })

  test('are not made of links that are none, nor with the address of another link', async () => {
    await using network = await openNetwork()
    run(undefined, 'ip link add dum0 type veth peer name dum1')
    await assert.rejects(network.driver.ensureBridge(ctx, { ...raind1, bridge: 'dum0' }), {
      code: 'failed_precondition',
      message: /"dum0"/,
    })
    await assert.rejects(network.driver.ensureBridge(ctx, { ...raind0, bridge: 'raind9' }), {
      code: 'failed_precondition',
      message: /10\.166\.0\.254/,
    })
    await assert.rejects(network.driver.ensureBridge(ctx, { ...raind1, bridge: 'a b' }), { code: 'invalid_argument' })
    run(undefined, 'ip link del dum0')
  })
})

describe('sandboxes', () => {
  test('have lo, address, MAC and default route, behind a hairpin port', async () => {
    await using network = await openNetwork()
    const netns = await network.sandbox('a', '10.166.0.1')
    assert.match(run(netns, 'ip addr show lo'), /inet 127\.0\.0\.1\/8 /)
    assert.match(
      run(netns, 'ip addr show eth0'),
      /^2: eth0@.*\n.*ether 02:42:0a:a6:00:01 .*\n.*inet 10\.166\.0\.1\/20 /,
    )
    assert.match(run(netns, 'ip route'), /^default via 10\.166\.0\.254 dev eth0/)
    assert.match(run(undefined, `bridge -d link show dev ${hostLinks()[0]}`), /hairpin on/)
  })

  test('with two networks get the default route of the one that goes first', async () => {
    await using network = await openNetwork()
    await network.driver.ensureBridge(ctx, raind1)
    const attachment = (name: string, address: string, gatewayPriority: number) => ({
      network: name,
      interface: name,
      addresses: [`${address}/24`],
      mac: defaultMac(address),
      aliases: [],
      gatewayPriority,
    })
    const { netnsPath, hostLinks: links } = await network.driver.setUp(ctx, 'a', [
      { ...attachment('eth0', '10.166.0.1', 0), bridge: 'raind0', gateway: '10.166.0.254' },
      { ...attachment('eth1', '10.167.0.1', 1), bridge: 'raind1', gateway: '10.167.0.254' },
    ])
    assert.equal(links.length, 2)
    assert.match(run(netnsPath, 'ip route'), /^default via 10\.167\.0\.254 dev eth1/)
    await network.driver.removeBridge(ctx, raind1)
  })

  test('are replaced when set up again, gone when torn down, and both may be repeated', async () => {
    await using network = await openNetwork()
    await network.sandbox('a', '10.166.0.1')
    const netns = await network.sandbox('a', '10.166.0.2')
    assert.match(run(netns, 'ip addr show eth0'), /10\.166\.0\.2\//)
    assert.deepEqual(await network.driver.listNetns(), ['a'])
    await network.driver.tearDown(ctx, 'a')
    await network.driver.tearDown(ctx, 'a')
    assert.deepEqual(await network.driver.listNetns(), [])
    // What a daemon leaves that is killed between making the file and mounting on it.
    writeFileSync(join(network.dir, 'netns', 'b'), '')
    await network.sandbox('b', '10.166.0.3')
    await network.driver.tearDown(ctx, 'b')
  })

  test('that fail leave nothing behind', async () => {
    await using network = await openNetwork()
    const attachment = {
      network: 'raind0',
      interface: 'eth0',
      addresses: ['10.166.0.1/20'],
      mac: defaultMac('10.166.0.1'),
      aliases: [],
      gatewayPriority: 0,
      bridge: 'raind0',
      gateway: '10.166.0.254',
    }
    await assert.rejects(network.driver.setUp(ctx, 'a', [{ ...attachment, gateway: '10.99.0.1' }]), {
      code: 'ENETUNREACH',
      message: /default route via 10\.99\.0\.1/,
    })
    await assert.rejects(network.driver.setUp(ctx, 'a', [{ ...attachment, bridge: 'gone0' }]), {
      code: 'failed_precondition',
      message: /"gone0"/,
    })
    assert.deepEqual(await network.driver.listNetns(), [])
    await eventually(hostLinks, ({ length }) => length === 0)
  })

  test('come and go by the hundred, through the kernel thread, and leave nothing', async () => {
    await using network = await openNetwork()
    await using thread = startKernelThread(new URL('../../src/daemon/kernel-thread.ts', import.meta.url))
    const netnsDir = join(network.dir, 'many')
    mkdirSync(netnsDir)
    const driver = createNetwork({ thread, netnsDir, log: ctx.log })
    await restored(driver, [raind0], new Map())
    const before = run(undefined, 'iptables-save').replaceAll(/^#.*\n/gm, '')
    const addresses = Array.from({ length: 200 }, (_, index) => `10.166.1.${index}`)
    await Promise.all(
      addresses.map(async (address, index) => {
        const { subnet: _, ...rest } = { ...raind0, network: 'raind0', interface: 'eth0', aliases: [] }
        const links = [{ ...rest, addresses: [`${address}/20`], mac: defaultMac(address), gatewayPriority: 0 }]
        await driver.setUp(ctx, address, links)
        await driver.setPorts(ctx, address, [{ ...tcp(20_000 + index, 80), address, bridge: 'raind0' }])
      }),
    )
    assert.equal(portTables().filter((line) => line.includes(' to 10.166.1.')).length, 200)
    assert.equal(hostLinks().length, 200)
    await Promise.all(
      addresses.map(async (address) => {
        await driver.clearPorts(ctx, address)
        await driver.tearDown(ctx, address)
      }),
    )
    assert.deepEqual(readdirSync(netnsDir), [])
    await eventually(hostLinks, ({ length }) => length === 0)
    assert.equal(run(undefined, 'iptables-save').replaceAll(/^#.*\n/gm, ''), before)
    assert.doesNotMatch(run(undefined, 'cat /proc/self/mountinfo'), /\/many\//)
  })
})

describe('published ports', () => {
  test('are replaced as a whole, and restored at boot', async () => {
    await using network = await openNetwork()
    const web = await network.sandbox('web', '10.166.0.1')
    await using _server = await serve(web, 'tcp', 80, 'web')
    await network.publish('web', '10.166.0.1', tcp(8080, 80))
    await network.publish('web', '10.166.0.1', tcp(8090, 80))
    assert.ok(await isClosed(undefined, 'tcp', '127.0.0.1', 8080))
    assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8090), /^web/)
    const rules = [{ ...tcp(8070, 80), address: '10.166.0.1', bridge: 'raind0' }]
    await restored(network.driver, [raind0], new Map([['web', rules]]))
    assert.ok(await isClosed(undefined, 'tcp', '127.0.0.1', 8090))
    assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8070), /^web/)
    await network.driver.clearPorts(ctx, 'web')
    assert.ok(await isClosed(undefined, 'tcp', '127.0.0.1', 8070))
  })

  const table = { family: 4, name: 'condenser-raind0' } as const
  const key = Buffer.concat([protocolField(6), portField(8080)])
  const elsewhere = Buffer.concat([addressField('10.166.0.9'), portField(9)])
  const disturbances: Record<string, () => void> = {
    'took our chains away': () => ['-F', '-X'].map((flag) => run(undefined, `iptables -t nat ${flag}`)),
    'emptied the nat table': () => run(undefined, 'iptables -t nat -F'),
    'emptied the filter table': () => run(undefined, 'iptables -F'),
    'emptied the mangle table': () => run(undefined, 'iptables -t mangle -F'),
    'removed one rule of ours': () => run(undefined, 'iptables -t nat -D RAIND-SNAT-raind0 1'),
    'removed a jump of ours': () => run(undefined, 'iptables -D FORWARD -j RAIND-FWD-raind0'),
    'flushed the ruleset': () => changeTables(flushRuleset()),
    'removed our table': () => changeTables(deleteTable(table)),
    'removed a port of ours': () => changeTables(...deleteElements(table, 'any', [key])),
    'led a port of ours elsewhere': () =>
      changeTables(...deleteElements(table, 'any', [key]), ...addElements(table, 'any', [{ key, data: elsewhere }])),
  }
  for (const [what, disturb] of Object.entries(disturbances)) {
    test(`come back with the next change after somebody ${what}, and so do the rules`, async () => {
      await using network = await openNetwork()
      await network.publish('web', '10.166.0.1', tcp(8080, 80))
      await network.publish('other', '10.166.0.2', tcp(8081, 80))
      const rules = rulesNow()
      disturb()
      await network.publish('other', '10.166.0.2', tcp(8082, 80))
      assert.deepEqual(rulesNow(), rules)
      assert.deepEqual(portTables(), [
        'condenser-raind0',
        'condenser-raind0 :8080/6 to 10.166.0.1:80',
        'condenser-raind0 :8082/6 to 10.166.0.2:80',
      ])
    })
  }

  test('leave the tables and rules of others alone', async () => {
    await using network = await openNetwork()
    changeTables(createTable({ family: 4, name: 'foreign' }))
    run(undefined, 'iptables -A FORWARD -s 203.0.113.9/32 -j DROP')
    await network.publish('web', '10.166.0.1', tcp(8080, 80))
    await restored(network.driver, [raind0], new Map())
    assert.deepEqual(portTables(), ['condenser-raind0'])
    assert.ok(rulesNow().includes('-A FORWARD -s 203.0.113.9/32 -j DROP'))
    run(undefined, 'iptables -D FORWARD -s 203.0.113.9/32 -j DROP')
    // Fails if it is not there.
    changeTables(deleteTable({ family: 4, name: 'foreign' }))
  })

  test('of which two are the same belong to the first, until it lets go', async () => {
    await using network = await openNetwork()
    await network.publish('a', '10.166.0.1', tcp(8080, 80))
    await network.publish('b', '10.166.0.2', tcp(8080, 80), tcp(8080, 81, '127.0.0.1'))
    const onLoopback = 'condenser-raind0 127.0.0.1:8080/6 to 10.166.0.2:81'
    assert.deepEqual(portTables().slice(1), [onLoopback, 'condenser-raind0 :8080/6 to 10.166.0.1:80'])
    await network.publish('a', '10.166.0.1')
    assert.deepEqual(portTables().slice(1), [onLoopback, 'condenser-raind0 :8080/6 to 10.166.0.2:80'])
  })

  test('by the thousand are published, restored and taken back at once', async () => {
    await using network = await openNetwork()
    const web = await network.sandbox('web', '10.166.0.1')
    await using _server = await serve(web, 'tcp', 80, 'web')
    const many = Array.from({ length: 3000 }, (_, index) => tcp(20_000 + index, 80))
    await network.publish('web', '10.166.0.1', ...many)
    assert.equal(portTables().length, 3001)
    assert.match(await ask(undefined, 'tcp', '127.0.0.1', 22_999), /^web/)
    const rules = many.map((port) => ({ ...port, address: '10.166.0.1', bridge: 'raind0' }))
    await restored(network.driver, [raind0], new Map([['web', rules]]))
    assert.equal(portTables().length, 3001)
    assert.match(await ask(undefined, 'tcp', '127.0.0.1', 20_000), /^web/)
    await network.driver.clearPorts(ctx, 'web')
    assert.deepEqual(portTables(), ['condenser-raind0'])
  })

  test('stay open while all is built anew, and their connections live on', async () => {
    await using network = await openNetwork()
    using lan = addNeighbour(join(network.dir, 'lan'), 'lan0', 50)
    const web = await network.sandbox('web', '10.166.0.1')
    await using _server = await serve(web, 'tcp', 80, 'web')
    await using _echo = await serveEcho(web, 81)
    await network.publish('web', '10.166.0.1', tcp(8080, 80), tcp(8081, 81))
    using connection = await openEcho(lan.netns, lan.hostAddress, 8081)
    assert.equal(await connection.say('one'), 'one')
    const ports = new Map([
      ['web', [8080, 8081].map((port) => ({ ...tcp(port, port - 8000), address: '10.166.0.1', bridge: 'raind0' }))],
    ])
    // On a thread of its own, so that packets pass while the kernel changes the tables.
    await using thread = startKernelThread(new URL('../../src/daemon/kernel-thread.ts', import.meta.url))
    const driver = createNetwork({ thread, netnsDir: join(network.dir, 'netns'), log: ctx.log })
    let restoring = true
    const restores = (async () => {
      for (let round = 0; round < 10; round++) await restored(driver, [raind0], ports)
    })().finally(() => {
      restoring = false
    })
    const answers: string[] = []
    while (restoring) answers.push(await ask(undefined, 'tcp', '127.0.0.1', 8080).catch(String))
    await restores
    assert.deepEqual([...new Set(answers)], ['web 10.166.0.254'])
    assert.equal(await connection.say('two'), 'two')
  })

  test('are not published without the right to, which is told', async () => {
    await using network = await openNetwork()
    process.seteuid!(65_534)
    try {
      await assert.rejects(network.publish('web', '10.166.0.1', tcp(8080, 80)), {
        name: 'StatusError',
        code: 'internal',
        message: /^Cannot publish ports: change nf_tables.*: EPERM$/,
      })
    } finally {
      process.seteuid!(0)
    }
    await network.publish('web', '10.166.0.1', tcp(8080, 80))
    assert.deepEqual(portTables().slice(1), ['condenser-raind0 :8080/6 to 10.166.0.1:80'])
  })

  test('jumps are put at the head, once, and foreign rules stay', async () => {
    run(undefined, 'iptables -A FORWARD -s 203.0.113.9/32 -j DROP')
    await using network = await openNetwork()
    await restored(network.driver, [raind0], new Map())
    run(undefined, 'iptables -A FORWARD -i eth9 -j RAIND-FWD-raind0')
    await restored(network.driver, [raind0], new Map())
    assert.deepEqual(run(undefined, 'iptables -S FORWARD').trim().split('\n').slice(1), [
      '-A FORWARD -j RAIND-FWD-raind0',
      '-A FORWARD -s 203.0.113.9/32 -j DROP',
    ])
    run(undefined, 'iptables -D FORWARD -s 203.0.113.9/32 -j DROP')
  })

  test('of two daemons live side by side, and their containers apart', async () => {
    await using first = await openNetwork(raind0)
    const a = await first.sandbox('a', '10.166.0.1')
    await using _a = await serve(a, 'tcp', 80, 'a')
    {
      await using second = await openNetwork(raind1)
      const b = await second.sandbox('b', '10.167.0.1')
      await using _b = await serve(b, 'tcp', 80, 'b')
      await first.publish('a', '10.166.0.1', tcp(8080, 80))
      await second.publish('b', '10.167.0.1', tcp(8081, 80))
      assert.equal(await ask(b, 'tcp', '10.166.0.254', 8080), 'a 10.166.0.254')
      assert.equal(await ask(a, 'tcp', '10.166.0.254', 8081), 'b 10.167.0.254')
      assert.ok(await isClosed(a, 'tcp', '10.167.0.1', 80))
      assert.ok(await isClosed(b, 'tcp', '10.166.0.1', 80))
    }
    assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^a /)
    assert.doesNotMatch(run(undefined, 'iptables-save'), /raind1/)
    assert.deepEqual(portTables(), ['condenser-raind0', 'condenser-raind0 :8080/6 to 10.166.0.1:80'])
  })

  test('take over, and let go of, UDP flows that are under way', async () => {
    await using network = await openNetwork()
    using lan = addNeighbour(join(network.dir, 'lan'), 'lan0', 50)
    const [a, b] = [await network.sandbox('a', '10.166.0.1'), await network.sandbox('b', '10.166.0.2')]
    await using _host = await serve(undefined, 'udp', 5353, 'host')
    await using _a = await serve(a, 'udp', 53, 'a')
    await using _b = await serve(b, 'udp', 53, 'b')
    const client = openUdp(lan.netns)
    assert.match((await askFrom(client, lan.hostAddress, 5353, 10_000)) ?? '', /^host/)
    await network.publish('a', '10.166.0.1', udp(5353, 53))
    await untilAnswers(client, lan.hostAddress, /^a/)
    await network.publish('a', '10.166.0.1')
    await network.publish('b', '10.166.0.2', udp(5353, 53))
    await untilAnswers(client, lan.hostAddress, /^b/)
    client.close()
  })
})

/** Earlier answers may still be on their way; a flow that is not taken over goes on for as long as it is used. */
async function untilAnswers(client: ReturnType<typeof openUdp>, address: string, who: RegExp): Promise<void> {
  await eventually(
    () => askFrom(client, address, 5353, 10_000),
    (answer = '') => who.test(answer),
  )
}

describe('host ports', () => {
  test('are taken while a program listens, on that address or on all', async () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      const port = await freeHostPort('0.0.0.0', protocol)
      assert.ok(await hostPortIsFree('0.0.0.0', port, protocol))
      {
        await using _server = await serve(undefined, protocol, port, 'taken')
        assert.equal(await hostPortIsFree('0.0.0.0', port, protocol), false)
        assert.equal(await hostPortIsFree('127.0.0.1', port, protocol), false)
        await ask(undefined, protocol, '127.0.0.1', port)
      }
      assert.ok(await hostPortIsFree('0.0.0.0', port, protocol), 'free again, though connections may be in TIME_WAIT')
    }
  })

  test('are found free on IPv6 whoever has them on IPv4', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    assert.equal(await hostPortIsFree('0.0.0.0', port, 'tcp'), false)
    assert.ok(await hostPortIsFree('::', port, 'tcp'))
    assert.ok(await hostPortIsFree('::1', port, 'tcp'))
    server.close()
    assert.ok((await freeHostPort('::', 'udp')) > 0)
  })

  test('exist on addresses of this host only', async () => {
    await assert.rejects(hostPortIsFree('203.0.113.1', 80, 'tcp'), {
      code: 'invalid_argument',
      message: /203\.0\.113\.1/,
    })
    for (const address of ['2001:db8::1', 'fe80::1', '::ffff:10.0.0.1', '::1%lo', 'x', ''])
      await assert.rejects(hostPortIsFree(address, 80, 'tcp'), { code: 'invalid_argument' }, address)
  })
})

test('addresses come from the allocator in the form that the kernel takes', async () => {
  await using network = await openNetwork()
  const address = nextAddress(raind0.subnet, raind0.gateway, undefined, () => false)
  assert.equal(address, '10.166.0.1')
  assert.match(run(await network.sandbox('a', address), 'ip addr'), /10\.166\.0\.1\//)
})
