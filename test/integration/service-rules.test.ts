import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { inlineKernelThread } from '../../src/linux/kernel-thread.ts'
import { spawnOps } from '../../src/linux/spawn.ts'
import type { NetworkSpec } from '../../src/model/network.ts'
import { createNetwork, networkOps, type ServiceRule } from '../../src/network/index.ts'
import { addNeighbour, type Neighbour, routeLoopbackVia, run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ctx, type NetworkFixture, openNetwork, raind0, restored } from '../support/sandbox-network.ts'
import { connectError, service, services } from '../support/service-network.ts'
import { ask, askFrom, isClosed, openEcho, openUdp, type Server, serve, serveEcho } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

const raind1: NetworkSpec = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }
const [CLUSTER, HOST_LAN, GATEWAY] = ['10.96.0.5', '192.168.50.1', '10.166.0.254']
const [A, B, C, CLIENT, APART] = ['10.166.0.1', '10.166.0.2', '10.166.0.3', '10.166.0.4', '10.167.0.1']
const ALL = [A, B, C].map((address) => `${address}:80`)

// Every rule must hold whatever the host's own firewall does with forwarded packets.
for (const policy of ['ACCEPT', 'DROP'])
  describe(`with FORWARD policy ${policy}`, () => {
    let network: NetworkFixture
    let lan: Neighbour
    const netns: Record<string, string> = {}
    const servers: AsyncDisposable[] = []
    const set = (...rules: ServiceRule[]) => network.driver.setServices(ctx, rules)

    before(async () => {
      run(undefined, `iptables -P FORWARD ${policy}`)
      network = await openNetwork(raind0, services)
      await network.driver.ensureBridge(ctx, raind1)
      lan = addNeighbour(join(network.dir, 'lan'), 'lan0', 50)
      for (const [name, address] of Object.entries({ a: A, b: B, c: C, client: CLIENT })) {
        netns[name] = await network.sandbox(name, address)
        for (const protocol of ['tcp', 'udp'] as const) {
          servers.push(await serve(netns[name], protocol, 80, name))
        }
      }
      const attachment = { ...network.attachment(APART), bridge: 'raind1', gateway: raind1.gateway }
      netns['apart'] = (
        await network.driver.setUp(ctx, 'apart', [{ ...attachment, addresses: [`${APART}/24`] }])
      ).netnsPath
    })
    afterEach(() => set())
    after(async () => {
      for (const server of servers) await server[Symbol.asyncDispose]()
      lan[Symbol.dispose]()
      await network.driver.removeBridge(ctx, raind1)
      await network[Symbol.asyncDispose]()
    })

    for (const protocol of ['tcp', 'udp'] as const)
      test(`${protocol}: a Service answers containers, which keep their addresses, and this host`, async () => {
        await set(service([`${A}:80`], { protocol }))
        assert.equal(await ask(netns['client'], protocol, CLUSTER, 443), `a ${CLIENT}`)
        assert.equal(await ask(netns['a'], protocol, CLUSTER, 443), `a ${GATEWAY}`, 'who reaches itself does not')
        assert.equal(await ask(undefined, protocol, CLUSTER, 443), `a ${GATEWAY}`)
        assert.match(await ask(netns['apart'], protocol, CLUSTER, 443), /^a /)
      })

    for (const protocol of ['tcp', 'udp'] as const)
      test(`${protocol}: a node port and a host port answer at every address of the host`, async () => {
        await set(service([`${A}:80`], { protocol, nodePort: 30_080, hostPort: 8443 }))
        for (const port of [30_080, 8443]) {
          assert.equal(await ask(lan.netns, protocol, HOST_LAN, port), `a ${lan.address}`)
          for (const address of ['127.0.0.1', HOST_LAN, GATEWAY]) {
            assert.match(await ask(undefined, protocol, address, port), /^a /)
          }
          for (const from of ['a', 'client', 'apart'])
            assert.match(await ask(netns[from], protocol, HOST_LAN, port), /^a /)
        }
        assert.ok(await isClosed(lan.netns, protocol, HOST_LAN, 443), 'its port is no port of the host')
      })

    test('each of three endpoints gets a third of the connections, from a container and from the host', async () => {
      await set(service(ALL))
      for (const from of [netns['client'], undefined]) {
        const seen = new Map([...'abc'].map((name) => [name, 0]))
        for (let round = 0; round < 20; round++) {
          const answers = await Promise.all(Array.from({ length: 30 }, () => ask(from, 'tcp', CLUSTER, 443)))
          for (const answer of answers) seen.set(answer[0]!, seen.get(answer[0]!)! + 1)
        }
        const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)
        // One in a million at random; 33, 22 and 44 % give 45.
        assert.ok(chiSquare < 27.6, JSON.stringify([...seen]))
      }
    })

    test('what goes to the same port elsewhere is not caught', async () => {
      await using _server = await serve(lan.netns, 'tcp', 443, 'lan')
      await using _neighbour = await serve(netns['b'], 'tcp', 443, 'neighbour')
      await set(service([`${A}:80`], { hostPort: 443, nodePort: 30_443 }))
      assert.match(await ask(netns['client'], 'tcp', lan.address, 443), /^lan /)
      assert.match(await ask(undefined, 'tcp', lan.address, 443), /^lan /)
      assert.match(await ask(netns['client'], 'tcp', B, 443), /^neighbour /)
    })

    test('without endpoints connections are refused at once, and so is what no Service takes; none leaves the host', async () => {
      run(lan.netns, 'ip address add 10.96.0.99/32 dev lo')
      run(undefined, `ip route add default via ${lan.address}`)
      await using outside: Server = await serve(lan.netns, 'tcp', 443, 'outside')
      await set(
        service([], { nodePort: 30_080, hostPort: 8443 }),
        service(ALL, { uid: 'other', clusterIp: '10.96.0.6' }),
      )
      for (const from of [undefined, netns['client'], netns['apart']]) {
        for (const [address, port] of [
          [CLUSTER, 443],
          ['10.96.0.99', 443],
          ['10.96.0.6', 80],
          [HOST_LAN, 30_080],
          [HOST_LAN, 8443],
        ] as const) {
          assert.equal(await connectError(from, address, port), 'ECONNREFUSED', `${address}:${port} from ${from}`)
        }
      }
      assert.equal(await connectError(lan.netns, HOST_LAN, 30_080), 'ECONNREFUSED')
      assert.deepEqual([...outside.heard], [])
      run(undefined, `ip route del default via ${lan.address}`)
    })

    test('from outside nobody reaches a clusterIp, nor a node port by 127.0.0.1', async () => {
      await set(service([`${A}:80`], { nodePort: 30_080 }))
      using evil = addNeighbour(join(network.dir, 'evil'), 'evil0', 51)
      assert.equal(await connectError(evil.netns, CLUSTER, 443), 'ECONNREFUSED')
      routeLoopbackVia(evil.netns, evil.hostAddress, 'eth0')
      assert.ok(await isClosed(evil.netns, 'tcp', '127.0.0.1', 30_080))
    })

    test('an open connection outlives its endpoint in the Service; new ones go elsewhere', async () => {
      await using _echo = await serveEcho(netns['a'], 81)
      await set(service([`${A}:81`], { nodePort: 30_080 }))
      using inside = await openEcho(netns['client'], CLUSTER, 443)
      using outside = await openEcho(lan.netns, HOST_LAN, 30_080)
      assert.equal(await inside.say('one'), 'one')
      assert.equal(await outside.say('one'), 'one')
      await set(service([`${B}:80`], { nodePort: 30_080 }))
      assert.match(await ask(netns['client'], 'tcp', CLUSTER, 443), /^b /)
      assert.equal(await inside.say('two'), 'two')
      await set()
      assert.equal(await inside.say('three'), 'three')
      assert.equal(await outside.say('three'), 'three')
    })

    test('UDP flows under way go to a new endpoint when theirs leaves, and to the first that comes', async () => {
      const dns = (endpoints: readonly string[]) => service(endpoints, { protocol: 'udp', nodePort: 30_053 })
      for (const [from, address, port] of [
        [netns['client'], CLUSTER, 443],
        [undefined, CLUSTER, 443],
        [lan.netns, HOST_LAN, 30_053],
      ] as const) {
        const client = openUdp(from)
        client.on('error', () => {})
        const answer = async () => {
          // Earlier answers may still be on their way.
          await askFrom(client, address, port, 300)
          return await askFrom(client, address, port, 300)
        }
        await set(dns([]))
        assert.equal(await answer(), undefined)
        await set(dns([`${A}:80`]))
        assert.match((await answer()) ?? '', /^a /)
        await set(dns([`${B}:80`]))
        assert.match((await answer()) ?? '', /^b /)
        await set()
        assert.equal(await answer(), undefined)
        client.close()
      }
    })
  })

test('where answers within a bridge do not meet iptables, a neighbour answers all the same', async () => {
  // As on a kernel without br_netfilter.
  await using base = await openNetwork(raind0, services)
  run(undefined, 'sysctl -qw net.bridge.bridge-nf-call-iptables=0')
  const thread = inlineKernelThread({ ...networkOps, ...spawnOps, 'network.loadBridgeNetfilter': () => false })
  const driver = createNetwork({ thread, netnsDir: join(base.dir, 'netns'), log: ctx.log, services })
  await restored(driver, [raind0], new Map())
  run(undefined, 'ip link set raind0 type bridge nf_call_iptables 0')
  const [a, client] = [await base.sandbox('a', A), await base.sandbox('client', CLIENT)]
  await using _server = await serve(a, 'tcp', 80, 'a')
  await driver.setServices(ctx, [service([`${A}:80`])])
  assert.equal(await ask(client, 'tcp', CLUSTER, 443), `a ${GATEWAY}`)
  assert.equal(await ask(a, 'tcp', CLUSTER, 443), `a ${GATEWAY}`)
  await driver.setServices(ctx, [])
})

const BPF_LIBRARY = globSync('/usr/lib/{,*/}xtables/libxt_bpf.so')[0]
test('the same where iptables lacks what tells who reaches itself', { skip: BPF_LIBRARY === undefined }, async () => {
  run(undefined, `mount --bind /dev/null ${BPF_LIBRARY}`)
  try {
    await using network = await openNetwork(raind0, services)
    const [a, client] = [await network.sandbox('a', A), await network.sandbox('client', CLIENT)]
    await using _server = await serve(a, 'tcp', 80, 'a')
    await network.driver.setServices(ctx, [service([`${A}:80`])])
    assert.equal(await ask(client, 'tcp', CLUSTER, 443), `a ${GATEWAY}`)
    assert.equal(await ask(a, 'tcp', CLUSTER, 443), `a ${GATEWAY}`)
    await network.driver.ensureBridge(ctx, raind1)
    assert.deepEqual(await network.driver.inspectRules(ctx), [])
    await network.driver.removeBridge(ctx, raind1)
  } finally {
    run(undefined, `umount ${BPF_LIBRARY}`)
  }
})
