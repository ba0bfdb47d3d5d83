import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { NetworkSpec } from '../model/network.ts'
import { bridgeChains, type PortRule, renderDelta, renderRebuild } from './iptables.ts'

const raind0: NetworkSpec = { bridge: 'raind0', subnet: '10.166.0.7/20', gateway: '10.166.0.254' }
const raind1: NetworkSpec = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }

const web: PortRule = {
  hostIp: '0.0.0.0',
  hostPort: 8080,
  containerPort: 80,
  protocol: 'tcp',
  address: '10.166.0.1',
  bridge: 'raind0',
}
const dns: PortRule = { ...web, hostIp: '127.0.0.1', hostPort: 5353, containerPort: 53, protocol: 'udp' }

const DELTA_CHECKS = `*raw
-C PREROUTING -i raind0 -j RAIND-RAW-raind0
COMMIT
*mangle
-C FORWARD -o raind0 -j RAIND-IN-raind0
COMMIT
*filter
-C FORWARD -j RAIND-FWD-raind0
COMMIT
*nat
-C PREROUTING ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j RAIND-DNAT-raind0
-C OUTPUT -m addrtype --dst-type LOCAL -j RAIND-DNAT-raind0
-C POSTROUTING -j RAIND-SNAT-raind0
`

/** The text of iptables-save after `text` was applied to empty tables. */
function saved(text: string): string {
  return text.replaceAll(/^-I (\w+) 1 /gm, '-A $1 ')
}

describe('renderRebuild', () => {
  test('makes chains and jumps on an empty host', () => {
    assert.equal(
      renderRebuild(bridgeChains(raind0, [web, dns]), [], ''),
      `*raw
:RAIND-RAW-raind0 - [0:0]
-A RAIND-RAW-raind0 -d 127.0.0.0/8 -j DROP
-A RAIND-RAW-raind0 -s 127.0.0.0/8 -j DROP
-I PREROUTING 1 -i raind0 -j RAIND-RAW-raind0
COMMIT
*mangle
:RAIND-IN-raind0 - [0:0]
-A RAIND-IN-raind0 ! -i raind0 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-I FORWARD 1 -o raind0 -j RAIND-IN-raind0
COMMIT
*filter
:RAIND-FWD-raind0 - [0:0]
-A RAIND-FWD-raind0 -i raind0 -j ACCEPT
-A RAIND-FWD-raind0 -o raind0 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT
-I FORWARD 1 -j RAIND-FWD-raind0
COMMIT
*nat
:RAIND-DNAT-raind0 - [0:0]
:RAIND-SNAT-raind0 - [0:0]
-A RAIND-DNAT-raind0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.166.0.1:80
-A RAIND-DNAT-raind0 -d 127.0.0.1/32 -p udp -m udp --dport 5353 -j DNAT --to-destination 10.166.0.1:53
-A RAIND-SNAT-raind0 -s 10.166.0.0/20 ! -o raind0 -j MASQUERADE
-A RAIND-SNAT-raind0 -s 127.0.0.0/8 -o raind0 -j MASQUERADE
-A RAIND-SNAT-raind0 -s 10.166.0.0/20 -o raind0 -m conntrack --ctstate DNAT -j MASQUERADE
-I PREROUTING 1 ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j RAIND-DNAT-raind0
-I OUTPUT 1 -m addrtype --dst-type LOCAL -j RAIND-DNAT-raind0
-I POSTROUTING 1 -j RAIND-SNAT-raind0
COMMIT
`,
    )
  })

  test('leaves jumps that are there, and takes away those it did not make so', () => {
    const chains = bridgeChains(raind0, [])
    const there = `${saved(renderRebuild(chains, [], ''))}*filter
:FORWARD DROP [0:0]
:RAIND-FWD-raind0 - [0:0]
-A FORWARD -j RAIND-FWD-raind0
-A FORWARD -i raind0 -j RAIND-FWD-raind0
-A FORWARD -j SOMEBODY-ELSE
COMMIT
`
    const text = renderRebuild(chains, [], there)
    assert.doesNotMatch(text, /^-I/m)
    assert.deepEqual(text.match(/^-D.*/gm), ['-D FORWARD -i raind0 -j RAIND-FWD-raind0'])
  })

  test('removes retired chains, as far as they are there, and no others', () => {
    const there =
      saved(renderRebuild(bridgeChains(raind1, []), [], '')) + saved(renderRebuild(bridgeChains(raind0, []), [], ''))
    const text = renderRebuild([], bridgeChains(raind0, []), there)
    assert.deepEqual(text.match(/^-[DX].*/gm), [
      '-D PREROUTING -i raind0 -j RAIND-RAW-raind0',
      '-X RAIND-RAW-raind0',
      '-D FORWARD -o raind0 -j RAIND-IN-raind0',
      '-X RAIND-IN-raind0',
      '-D FORWARD -j RAIND-FWD-raind0',
      '-X RAIND-FWD-raind0',
      '-D PREROUTING ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j RAIND-DNAT-raind0',
      '-D OUTPUT -m addrtype --dst-type LOCAL -j RAIND-DNAT-raind0',
      '-D POSTROUTING -j RAIND-SNAT-raind0',
      '-X RAIND-DNAT-raind0',
      '-X RAIND-SNAT-raind0',
    ])
    assert.equal(renderRebuild([], bridgeChains(raind0, []), ''), '')
  })
})

describe('renderDelta', () => {
  test('adds and deletes what differs, after checks of all jumps', () => {
    assert.equal(
      renderDelta(bridgeChains(raind0, [web]), bridgeChains(raind0, [dns])),
      `${DELTA_CHECKS}-D RAIND-DNAT-raind0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.166.0.1:80
-A RAIND-DNAT-raind0 -d 127.0.0.1/32 -p udp -m udp --dport 5353 -j DNAT --to-destination 10.166.0.1:53
COMMIT
`,
    )
  })

  test('is empty if nothing differs', () => {
    assert.equal(renderDelta(bridgeChains(raind0, [web]), bridgeChains(raind0, [web])), '')
  })
})

describe('rule texts, for any ports', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  const rule: fc.Arbitrary<PortRule> = fc.record({
    hostIp: fc.constantFrom('0.0.0.0', '127.0.0.1', '192.168.1.5'),
    hostPort: port,
    containerPort: port,
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    address: fc.constantFrom('10.166.0.1', '10.166.3.7'),
    bridge: fc.constant('raind0'),
  })
  const rules = fc.array(rule, { maxLength: 20 })

  test('jump only to chains that the same table makes, with names that iptables takes', () => {
    const long = { ...raind1, bridge: 'br-0123456789ab' }
    const text = renderRebuild([...bridgeChains(raind0, [web, dns]), ...bridgeChains(long, [])], [], '')
    for (const table of text.split('COMMIT\n').filter((part) => part !== '')) {
      const made = new Set([...table.matchAll(/^:(\S+)/gm)].map((match) => match[1]!))
      const used = [...table.matchAll(/-j (\S+)|^-A (\S+)/gm)].map((match) => match[1] ?? match[2]!)
      for (const name of used.filter((name) => name.startsWith('RAIND-'))) assert.ok(made.has(name), name)
      for (const name of made) assert.ok(name.length <= 28, name)
    }
  })

  test('lead by deltas to the same rules as a rebuild', () => {
    fc.assert(
      fc.property(rules, rules, (before, after) => {
        const lines = new Set(bridgeChains(raind0, before)[3]!.rules)
        for (const [, command, text] of renderDelta(bridgeChains(raind0, before), bridgeChains(raind0, after)).matchAll(
          /^-([AD]) RAIND-DNAT-raind0 (.*)/gm,
        )) {
          if (command === 'A') lines.add(text!)
          else assert.ok(lines.delete(text!), `${text} was not there`)
        }
        assert.deepEqual(lines, new Set(bridgeChains(raind0, after)[3]!.rules))
      }),
    )
  })
})
