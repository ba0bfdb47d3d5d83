import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { NetworkSpec } from '../../src/model/network.ts'
import { eventually } from '../support/eventually.ts'
import { addNeighbour, type Neighbour, run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { portTables } from '../support/nf-tables.ts'
import { announceRouter } from '../support/router.ts'
import { ctx, type NetworkFixture, openNetwork, tcp, udp } from '../support/sandbox-network.ts'
import { ask, askFrom, assertClosed, openUdp, type Server, serve } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

const GATEWAY = 'fd12:3456:789a::1'
const WEB = 'fd12:3456:789a::2'
const OTHER = 'fd12:3456:789a::3'
const APART = 'fd12:3456:789a:1::2'
const raind6: NetworkSpec = {
  bridge: 'raind6',
  subnet: '10.166.0.0/24',
  gateway: '10.166.0.254',
  ipv6: { subnet: 'fd12:3456:789a::/64', gateway: GATEWAY },
}
const apart: NetworkSpec = {
  bridge: 'apart',
  subnet: '10.167.0.0/24',
  gateway: '10.167.0.254',
  ipv6: { subnet: 'fd12:3456:789a:1::/64', gateway: 'fd12:3456:789a:1::1' },
}

// What holds for IPv4 (network-reachability.test.ts), whatever the host's own firewall does with forwarded packets.
for (const policy of ['ACCEPT', 'DROP'])
  for (const bridgeCall of [0, 1])
    describe(`IPv6 with FORWARD policy ${policy} and bridge-nf-call-ip6tables=${bridgeCall}`, () => {
      let network: NetworkFixture
      let second: NetworkFixture
      let lan: Neighbour
      let web: string
      let other: string
      let separate: string
      const servers: Server[] = []

      before(async () => {
        run(undefined, `ip6tables -P FORWARD ${policy}`)
        network = await openNetwork(raind6)
        second = await openNetwork(apart)
        run(undefined, `sysctl -qw net.bridge.bridge-nf-call-ip6tables=${bridgeCall}`)
        lan = addNeighbour(join(network.dir, 'lan'), 'lan0', 50)
        web = await network.sandbox('web', '10.166.0.1', WEB)
        other = await network.sandbox('other', '10.166.0.2', OTHER)
        separate = await second.sandbox('separate', '10.167.0.1', APART)
        for (const protocol of ['tcp', 'udp'] as const) {
          servers.push(await serve(web, protocol, 80, 'web'))
          servers.push(await serve(web, protocol, 81, 'private'))
          servers.push(await serve(separate, protocol, 80, 'separate'))
          servers.push(await serve(undefined, protocol, 5000, 'host'))
          servers.push(await serve(lan.netns, protocol, 6000, 'lan'))
        }
        const ports = [tcp, udp].flatMap((port) => [port(8080, 80, '::'), port(8081, 81, GATEWAY)])
        await network.publish('web', WEB, ...ports)
      })

      after(async () => {
        for (const server of servers) await server[Symbol.asyncDispose]()
        lan[Symbol.dispose]()
        await second[Symbol.asyncDispose]()
        await network[Symbol.asyncDispose]()
        assert.doesNotMatch(run(undefined, 'ip6tables-save'), /RAIND/)
        assert.deepEqual(portTables(), [])
      })

      for (const protocol of ['tcp', 'udp'] as const) {
        test(`${protocol}: a published port answers the LAN, which is seen as itself`, async () => {
          assert.equal(await ask(lan.netns, protocol, lan.hostAddress6, 8080), `web ${lan.address6}`)
        })

        test(`${protocol}: a published port answers the host, at its addresses but loopback`, async () => {
          assert.match(await ask(undefined, protocol, lan.hostAddress6, 8080), /^web /)
          assert.equal(await ask(undefined, protocol, GATEWAY, 8080), `web ${GATEWAY}`)
          assert.equal(await ask(undefined, protocol, GATEWAY, 8081), `private ${GATEWAY}`)
          await assertClosed(protocol, [undefined], ['::1'], [8080])
        })

        test(`${protocol}: a published port answers its own container and its neighbours (hairpin)`, async () => {
          for (const from of [web, other]) {
            assert.equal(await ask(from, protocol, lan.hostAddress6, 8080), `web ${GATEWAY}`)
            assert.equal(await ask(from, protocol, GATEWAY, 8080), `web ${GATEWAY}`)
          }
        })

        test(`${protocol}: containers reach each other, the host and the LAN; the host reaches containers`, async () => {
          assert.equal(await ask(other, protocol, WEB, 81), `private ${OTHER}`)
          assert.equal(await ask(undefined, protocol, WEB, 81), `private ${GATEWAY}`)
          assert.equal(await ask(other, protocol, GATEWAY, 5000), `host ${OTHER}`)
          assert.equal(await ask(other, protocol, lan.address6, 6000), `lan ${lan.hostAddress6}`)
        })

        test(`${protocol}: a neighbour who routes to the containers through the host reaches none of their ports`, async () => {
          await assertClosed(protocol, [lan.netns], [WEB, OTHER], [80, 81])
        })

        test(`${protocol}: networks are apart, other than by what is published`, async () => {
          await assertClosed(protocol, [separate], [WEB, OTHER], [80, 81])
          await assertClosed(protocol, [web], [APART], [80])
          assert.match(await ask(separate, protocol, lan.hostAddress6, 8080), /^web /)
        })

        test(`${protocol}: a port published on one address is closed at the others`, async () => {
          await assertClosed(protocol, [lan.netns, other], [lan.hostAddress6], [8081])
        })
      }
    })

describe('links', () => {
  test('have IPv6 at once, without detection of duplicates, and hear no router', async () => {
    await using network = await openNetwork(raind6)
    const netns = await network.sandbox('web', '10.166.0.1', WEB)
    assert.match(run(netns, 'ip -6 addr show eth0'), new RegExp(`inet6 ${WEB}/64 scope global nodad`))
    assert.doesNotMatch(run(netns, 'ip -6 addr'), /tentative/)
    assert.match(run(netns, 'ip -6 route'), new RegExp(`^default via ${GATEWAY} dev eth0`, 'm'))
    const sysctls = ['accept_ra', 'disable_ipv6'].map((name) => `net.ipv6.conf.eth0.${name}`).join(' ')
    assert.equal(run(netns, `sysctl -n ${sysctls}`), '0\n0\n')
    assert.equal(run(undefined, 'sysctl -n net.ipv6.conf.raind6.accept_ra'), '0\n')
    assert.match(run(undefined, 'ip -6 addr show raind6'), new RegExp(`inet6 ${GATEWAY}/64 scope global nodad`))
  })

  test('of a network without IPv6 have none at all, nor does its bridge', async () => {
    await using network = await openNetwork({ ...raind6, ipv6: undefined } as unknown as NetworkSpec)
    const netns = await network.sandbox('web', '10.166.0.1')
    assert.equal(run(netns, 'ip -6 addr show eth0'), '')
    assert.equal(run(netns, 'sysctl -n net.ipv6.conf.eth0.disable_ipv6'), '1\n')
    assert.equal(run(undefined, 'ip -6 addr show raind6'), '')
    assert.doesNotMatch(run(undefined, 'ip6tables-save'), /RAIND/)
  })

  test('of two networks get the IPv6 default route from the first that has IPv6', async () => {
    await using network = await openNetwork(raind6)
    const plain = { bridge: 'plain', subnet: '10.168.0.0/24', gateway: '10.168.0.254' }
    await network.driver.ensureBridge(ctx, plain)
    const common = { aliases: [], gatewayPriority: 0 }
    const first = {
      ...common,
      network: 'plain',
      interface: 'eth0',
      mac: '02:42:0a:a8:00:01',
      addresses: ['10.168.0.1/24'],
    }
    const second = { ...common, network: 'raind6', interface: 'eth1', mac: '02:42:0a:a6:00:01' }
    const links = [
      { ...first, bridge: 'plain', gateway: plain.gateway },
      {
        ...second,
        addresses: ['10.166.0.1/24', `${WEB}/64`],
        bridge: 'raind6',
        gateway: raind6.gateway,
        gateway6: GATEWAY,
      },
    ]
    const { netnsPath } = await network.driver.setUp(ctx, 'a', links)
    assert.match(run(netnsPath, 'ip route'), /^default via 10\.168\.0\.254 dev eth0/)
    assert.match(run(netnsPath, 'ip -6 route'), new RegExp(`^default via ${GATEWAY} dev eth1`, 'm'))
    assert.equal(run(netnsPath, 'ip -6 addr show eth0'), '')
    await network.driver.syncLinks(ctx, 'a', links.slice(0, 1))
    assert.doesNotMatch(run(netnsPath, 'ip -6 route'), /default/)
    await network.driver.syncLinks(ctx, 'a', links)
    assert.match(run(netnsPath, 'ip -6 route'), new RegExp(`^default via ${GATEWAY} dev eth1`, 'm'))
    await network.driver.removeBridge(ctx, plain)
  })

  test('a host that begins to forward keeps the route that a router has announced, and goes on hearing it', async () => {
    run(undefined, 'sysctl -qw net.ipv6.conf.all.forwarding=0')
    const dir = mkdtempSync('/var/tmp/condenser-router-')
    using stack = new DisposableStack()
    stack.defer(() => rmSync(dir, { recursive: true }))
    // The neighbour's addresses and routes are not used here, only its link.
    const router = stack.use(addNeighbour(join(dir, 'router'), 'up0', 60))
    for (const [name, value] of [
      ['accept_ra', 1],
      ['accept_dad', 0],
    ])
      run(undefined, `sysctl -qw net.ipv6.conf.up0.${name}=${value}`)
    run(undefined, 'ip link add deaf type veth peer name deaf1')
    run(undefined, 'sysctl -qw net.ipv6.conf.deaf.accept_ra=0')
    const routes = () => run(undefined, 'ip -6 route show dev up0')
    const hears = (prefix: string) => {
      const announce = () => {
        announceRouter(router.netns, 'eth0', prefix)
        return routes()
      }
      return eventually(announce, (lines) => lines.includes(`${prefix}/64`))
    }
    await hears('2001:db8:1::')
    assert.match(routes(), /^default via fe80::/m)
    await using _network = await openNetwork(raind6)
    assert.equal(run(undefined, 'sysctl -n net.ipv6.conf.all.forwarding'), '1\n')
    assert.match(routes(), /^default via fe80::/m)
    await hears('2001:db8:2::')
    assert.equal(run(undefined, 'sysctl -n net.ipv6.conf.deaf.accept_ra'), '0\n')
    run(undefined, 'ip link del deaf')
  })

  test('a container that says it were a router changes nothing, neither in another container nor at the host', async () => {
    await using network = await openNetwork(raind6)
    const evil = await network.sandbox('evil', '10.166.0.1', WEB)
    const other = await network.sandbox('other', '10.166.0.2', OTHER)
    const plain = await network.sandbox('plain', '10.166.0.3')
    // Who does hear routers, and so tells when the announcement has come by.
    const witness = await network.sandbox('witness', '10.166.0.4', 'fd12:3456:789a::4')
    run(witness, 'sysctl -qw net.ipv6.conf.eth0.accept_ra=1')
    const announce = () => {
      announceRouter(evil, 'eth0', '2001:db8:bad::')
      return run(witness, 'ip -6 route')
    }
    await eventually(announce, (lines) => lines.includes('2001:db8:bad::/64'))
    for (const netns of [other, plain, undefined]) {
      assert.doesNotMatch(run(netns, 'ip -6 route'), /2001:db8:bad|default via fe80/)
      assert.doesNotMatch(run(netns, 'ip -6 addr'), /2001:db8:bad/)
    }
  })

  test('UDP flows under way are taken over by a port that is published, and let go of', async () => {
    await using network = await openNetwork(raind6)
    using lan = addNeighbour(join(network.dir, 'lan'), 'lan0', 50)
    const web = await network.sandbox('web', '10.166.0.1', WEB)
    await using _host = await serve(undefined, 'udp', 5353, 'host')
    await using _web = await serve(web, 'udp', 53, 'web')
    const client = openUdp(lan.netns, 6)
    // Earlier answers may still be on their way; a flow that is not taken over goes on for as long as it is used.
    const untilAnswers = (who: RegExp) =>
      eventually(
        () => askFrom(client, lan.hostAddress6, 5353, 10_000),
        (answer = '') => who.test(answer),
      )
    await untilAnswers(/^host/)
    await network.publish('web', WEB, udp(5353, 53, '::'))
    await untilAnswers(/^web/)
    await network.publish('web', WEB)
    await untilAnswers(/^host/)
    client.close()
  })

  test('rules and ports of IPv6 come back with the next change after somebody took them away', async () => {
    await using network = await openNetwork(raind6)
    await network.publish('web', WEB, tcp(8080, 80, '::'))
    const rules = () =>
      run(undefined, 'ip6tables-save')
        .split('\n')
        .filter((line) => line.startsWith('-A'))
    const before = rules()
    assert.ok(before.length > 0)
    for (const disturb of ['ip6tables -t nat -F', 'ip6tables -F', 'ip6tables -t mangle -F', 'ip6tables -t raw -F']) {
      run(undefined, disturb)
      assert.notDeepEqual(rules(), before, disturb)
      await network.publish('other', OTHER, tcp(9000 + Math.trunc(Math.random() * 1000), 80, '::'))
      assert.deepEqual(rules(), before, disturb)
    }
    assert.ok(portTables().includes(`ip6 condenser-raind6 :8080/6 to [${WEB}]:80`))
  })

  test('a port of one family does not lead to an address of the other', async () => {
    await using network = await openNetwork(raind6)
    for (const [address, hostIp] of [
      ['10.166.0.1', '::'],
      [WEB, '0.0.0.0'],
    ] as const)
      await assert.rejects(network.publish('web', address, tcp(8080, 80, hostIp)), { code: 'invalid_argument' })
  })
})
