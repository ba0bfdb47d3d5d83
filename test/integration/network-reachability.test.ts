import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { addNeighbour, type Neighbour, routeLoopbackVia, run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ctx, type NetworkFixture, openNetwork, tcp, udp } from '../support/sandbox-network.ts'
import { ask, assertClosed, type Server, serve } from '../support/sockets.ts'

runInOwnNamespaces(import.meta.filename)

const WEB = '10.166.0.1'
const OTHER = '10.166.0.2'
const ATTACKER = '10.166.0.3'
const HOST_LAN = '192.168.50.1'
const GATEWAY = '10.166.0.254'

// Every rule must hold whatever the host's own firewall does with forwarded packets.
for (const policy of ['ACCEPT', 'DROP'])
  for (const bridgeCall of [0, 1])
    describe(`with FORWARD policy ${policy} and bridge-nf-call-iptables=${bridgeCall}`, () => {
      let network: NetworkFixture
      let lan: Neighbour
      let web: string
      let other: string
      const servers: Server[] = []

      before(async () => {
        run(undefined, `iptables -P FORWARD ${policy}`)
        network = await openNetwork()
        run(undefined, `ip link set raind0 type bridge nf_call_iptables ${bridgeCall}`)
        run(undefined, `sysctl -qw net.bridge.bridge-nf-call-iptables=${bridgeCall}`)
        lan = addNeighbour(join(network.dir, 'lan'), 'lan0', 50)
        web = await network.sandbox('web', WEB)
        other = await network.sandbox('other', OTHER)
        for (const protocol of ['tcp', 'udp'] as const) {
          servers.push(await serve(web, protocol, 80, 'web'))
          servers.push(await serve(web, protocol, 81, 'private'))
          servers.push(await serve(undefined, protocol, 5000, 'host'))
          servers.push(await serve(lan.netns, protocol, 6000, 'lan'))
        }
        const ports = [tcp, udp].flatMap((port) => [port(8080, 80), port(8081, 81, '127.0.0.1')])
        await network.publish('web', WEB, ...ports)
      })

      after(async () => {
        for (const server of servers) await server[Symbol.asyncDispose]()
        lan[Symbol.dispose]()
        await network[Symbol.asyncDispose]()
      })

      for (const protocol of ['tcp', 'udp'] as const) {
        test(`${protocol}: a published port answers the LAN, which is seen as itself`, async () => {
          assert.equal(await ask(lan.netns, protocol, HOST_LAN, 8080), `web ${lan.address}`)
        })

        test(`${protocol}: a published port answers the host, at all its addresses`, async () => {
          assert.equal(await ask(undefined, protocol, '127.0.0.1', 8080), `web ${GATEWAY}`)
          assert.match(await ask(undefined, protocol, HOST_LAN, 8080), /^web /)
          assert.match(await ask(undefined, protocol, GATEWAY, 8080), /^web /)
          assert.equal(await ask(undefined, protocol, '127.0.0.1', 8081), `private ${GATEWAY}`)
        })

        test(`${protocol}: a published port answers its own container and its neighbours (hairpin)`, async () => {
          for (const from of [web, other]) {
            assert.equal(await ask(from, protocol, HOST_LAN, 8080), `web ${GATEWAY}`)
            assert.equal(await ask(from, protocol, GATEWAY, 8080), `web ${GATEWAY}`)
          }
        })

        test(`${protocol}: containers reach each other, the host and the LAN; the host reaches containers`, async () => {
          assert.equal(await ask(other, protocol, WEB, 81), `private ${OTHER}`)
          assert.equal(await ask(undefined, protocol, WEB, 81), `private ${GATEWAY}`)
          assert.equal(await ask(other, protocol, GATEWAY, 5000), `host ${OTHER}`)
          assert.equal(await ask(other, protocol, lan.address, 6000), `lan ${HOST_LAN}`)
        })

        test(`${protocol}: a neighbour who routes to the containers through the host reaches none of their ports`, async () => {
          // Not even the published one, other than as it is published.
          await assertClosed(protocol, [lan.netns], [WEB, OTHER], [80, 81])
        })

        test(`${protocol}: a port published on 127.0.0.1 is closed to the LAN and to containers`, async () => {
          await assertClosed(protocol, [lan.netns, other], [HOST_LAN, GATEWAY], [8081])
        })
      }

      test('an attacker who sends packets for 127/8 to us reaches nothing, from the LAN or a container', async () => {
        const attacker = await network.sandbox('attacker', ATTACKER)
        using evil = addNeighbour(join(network.dir, 'evil'), 'evil0', 51)
        routeLoopbackVia(attacker, GATEWAY, 'eth0')
        routeLoopbackVia(evil.netns, evil.hostAddress, 'eth0')
        await Promise.all(
          (['tcp', 'udp'] as const).map((protocol) =>
            assertClosed(protocol, [attacker, evil.netns], ['127.0.0.1'], [5000, 8080, 8081]),
          ),
        )
        // Nor does a packet get through whose answer does not find the way back.
        for (const { heard } of servers) assert.ok(!heard.has(ATTACKER) && !heard.has(evil.address))
        await network.driver.tearDown(ctx, 'attacker')
      })
    })
