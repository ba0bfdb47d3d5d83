import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { run } from '../support/lan.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'
import { ctx, type NetworkFixture, openNetwork, raind0, tcp } from '../support/sandbox-network.ts'

runInOwnNamespaces(import.meta.filename)

/** What a daemon would put back by itself: here nobody does, so that it can be seen to be found. */
describe('the rules of the host', () => {
  const damages: readonly (readonly [string, string, RegExp])[] = [
    ['a chain that was flushed', 'iptables -F RAIND-FWD-raind0', /iptables lacks rules/],
    ['a jump that was deleted', 'iptables -t mangle -D FORWARD -o raind0 -j RAIND-IN-raind0', /iptables lacks rules/],
    ['a jump of ours that leads somewhere else', 'iptables -t raw -I OUTPUT -j RAIND-RAW-raind0', /iptables lacks/],
    ['the table of ports, gone', 'nft delete table ip condenser-raind0', /port 18080\/tcp of 0.0.0.0 is not published/],
    [
      'a port that is gone',
      'nft delete element ip condenser-raind0 addr { 127.0.0.1 . tcp . 18081 }',
      /port 18081\/tcp of 127.0.0.1 is not published/,
    ],
    [
      'a port that nobody published',
      'nft add element ip condenser-raind0 any { tcp . 7 : 10.0.0.1 . 7 }',
      /publishes 1 ports that nobody asked for/,
    ],
    ['a chain of ports that was flushed', 'nft flush chain ip condenser-raind0 prerouting', /has other rules/],
  ]
  for (const [what, damage, problem] of damages)
    test(`are found to lack, and get back: ${what}`, async () => {
      await using network = await published()
      assert.deepEqual(await network.driver.inspectRules(ctx), [])
      run(undefined, damage)
      const found = await network.driver.inspectRules(ctx)
      assert.ok(
        found.some((text) => problem.test(text)),
        found.join('\n'),
      )
      await network.driver.mendRules(ctx)
      assert.deepEqual(await network.driver.inspectRules(ctx), [])
    })

  async function published(): Promise<NetworkFixture> {
    const network = await openNetwork()
    await network.sandbox('a', '10.166.0.1')
    await network.publish('a', '10.166.0.1', tcp(18080, 80), tcp(18081, 80, '127.0.0.1'))
    return network
  }
})

describe('a bridge', () => {
  const damages: readonly (readonly [string, string, RegExp])[] = [
    ['deleted', 'ip link delete raind0', /there is no bridge raind0/],
    ['down', 'ip link set raind0 down', /is down/],
    ['without its address', 'ip address flush dev raind0', /does not have the address 10.166.0.254/],
  ]
  for (const [what, damage, problem] of damages)
    test(`that is ${what} is found, and made anew with its ports`, async () => {
      await using network = await openNetwork()
      await network.sandbox('a', '10.166.0.1')
      assert.deepEqual(await network.driver.inspectBridge(ctx, raind0), [])
      run(undefined, damage)
      assert.match((await network.driver.inspectBridge(ctx, raind0)).join(), problem)
      await network.driver.ensureBridge(ctx, raind0)
      await network.driver.syncLinks(ctx, 'a', [network.attachment('10.166.0.1')])
      assert.deepEqual(await network.driver.inspectBridge(ctx, raind0), [])
      assert.deepEqual(await network.driver.inspect(ctx, 'a', [network.attachment('10.166.0.1')]), [])
      run(`${network.dir}/netns/a`, 'busybox ping -c 1 -W 20 10.166.0.254')
    })
})
