import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NetworkSpec } from '../model/network.ts'
import { bridgeChains } from './iptables.ts'
import { renderRebuild } from './iptables-text.ts'

const raind0: NetworkSpec = { bridge: 'raind0', subnet: '10.166.0.7/20', gateway: '10.166.0.254' }
const raind1: NetworkSpec = { bridge: 'raind1', subnet: '10.167.0.0/24', gateway: '10.167.0.254' }

/** The text of iptables-save after `text` was applied to empty tables. */
function saved(text: string): string {
  return text.replaceAll(/^-I (\w+) 1 /gm, '-A $1 ')
}

describe('renderRebuild', () => {
  test('makes chains and jumps on an empty host', () => {
    assert.equal(
      renderRebuild(bridgeChains(raind0), [], ''),
      `*raw
:RAIND-RAW-raind0 - [0:0]
-A RAIND-RAW-raind0 -d 127.0.0.0/8 -j DROP
-A RAIND-RAW-raind0 -s 127.0.0.0/8 -j DROP
-I PREROUTING 1 -i raind0 -j RAIND-RAW-raind0
COMMIT
*mangle
:RAIND-IN-raind0 - [0:0]
:RAIND-DNS-raind0 - [0:0]
-A RAIND-IN-raind0 ! -i raind0 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A RAIND-DNS-raind0 -i lo -j RETURN
-A RAIND-DNS-raind0 -p udp -m udp --dport 53 -j DROP
-A RAIND-DNS-raind0 -p tcp -m tcp --dport 53 -j DROP
-I FORWARD 1 -o raind0 -j RAIND-IN-raind0
-I INPUT 1 -d 10.166.0.254/32 ! -i raind0 -j RAIND-DNS-raind0
COMMIT
*filter
:RAIND-FWD-raind0 - [0:0]
:RAIND-ASK-raind0 - [0:0]
-A RAIND-FWD-raind0 -i raind0 -j ACCEPT
-A RAIND-FWD-raind0 -o raind0 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT
-A RAIND-ASK-raind0 -p udp -m udp --dport 53 -j ACCEPT
-A RAIND-ASK-raind0 -p tcp -m tcp --dport 53 -j ACCEPT
-I FORWARD 1 -j RAIND-FWD-raind0
-I INPUT 1 -d 10.166.0.254/32 -i raind0 -j RAIND-ASK-raind0
COMMIT
*nat
:RAIND-SNAT-raind0 - [0:0]
-A RAIND-SNAT-raind0 -s 10.166.0.0/20 ! -o raind0 -j MASQUERADE
-A RAIND-SNAT-raind0 -s 127.0.0.0/8 -o raind0 -j MASQUERADE
-A RAIND-SNAT-raind0 -s 10.166.0.0/20 -o raind0 -m conntrack --ctstate DNAT -j MASQUERADE
-I POSTROUTING 1 ! -o lo -j RAIND-SNAT-raind0
COMMIT
`,
    )
  })

  test('leaves jumps that are there, and takes away those it did not make so', () => {
    const chains = bridgeChains(raind0)
    const there = `${saved(renderRebuild(chains, [], ''))}*filter
:FORWARD DROP [0:0]
:RAIND-FWD-raind0 - [0:0]
-A FORWARD -j RAIND-FWD-raind0
-A FORWARD -i raind0 -j RAIND-FWD-raind0
-A FORWARD -j SOMEBODY-ELSE
-A INPUT -d 10.166.0.254/32 -i raind0 -j RAIND-ASK-raind0
COMMIT
`
    const text = renderRebuild(chains, [], there)
    assert.doesNotMatch(text, /^-I/m)
    assert.deepEqual(text.match(/^-D.*/gm), ['-D FORWARD -i raind0 -j RAIND-FWD-raind0'])
  })

  test('has nothing to do where all is there', () => {
    const chains = [...bridgeChains(raind0), ...bridgeChains(raind1)]
    assert.equal(renderRebuild(chains, [], saved(renderRebuild(chains, [], ''))), '')
  })

  test('fills a chain anew that lacks a rule, has one more, or has them in another order, and no other', () => {
    const chains = bridgeChains(raind0)
    const there = saved(renderRebuild(chains, [], ''))
    const drop = '-A RAIND-RAW-raind0 -d 127.0.0.0/8 -j DROP\n'
    for (const changed of [
      there.replace(drop, ''),
      there.replace(drop, drop + drop),
      there.replace(drop, '').replace(/(-A RAIND-RAW-raind0 -s .*\n)/, `$1${drop}`),
    ]) {
      assert.equal(
        renderRebuild(chains, [], changed),
        `*raw
:RAIND-RAW-raind0 - [0:0]
-A RAIND-RAW-raind0 -d 127.0.0.0/8 -j DROP
-A RAIND-RAW-raind0 -s 127.0.0.0/8 -j DROP
COMMIT
`,
      )
    }
  })

  test('removes retired chains, as far as they are there, and no others', () => {
    const there =
      saved(renderRebuild(bridgeChains(raind1), [], '')) + saved(renderRebuild(bridgeChains(raind0), [], ''))
    const text = renderRebuild([], bridgeChains(raind0), there)
    assert.deepEqual(text.match(/^-[DX].*/gm), [
      '-D PREROUTING -i raind0 -j RAIND-RAW-raind0',
      '-X RAIND-RAW-raind0',
      '-D FORWARD -o raind0 -j RAIND-IN-raind0',
      '-D INPUT -d 10.166.0.254/32 ! -i raind0 -j RAIND-DNS-raind0',
      '-X RAIND-IN-raind0',
      '-X RAIND-DNS-raind0',
      '-D FORWARD -j RAIND-FWD-raind0',
      '-D INPUT -d 10.166.0.254/32 -i raind0 -j RAIND-ASK-raind0',
      '-X RAIND-FWD-raind0',
      '-X RAIND-ASK-raind0',
      '-D POSTROUTING ! -o lo -j RAIND-SNAT-raind0',
      '-X RAIND-SNAT-raind0',
    ])
    assert.equal(renderRebuild([], bridgeChains(raind0), ''), '')
  })

  test('jumps only to chains that the same table makes, with names that iptables takes', () => {
    const long = { ...raind1, bridge: 'br-0123456789ab' }
    const text = renderRebuild([...bridgeChains(raind0), ...bridgeChains(long)], [], '')
    for (const table of text.split('COMMIT\n').filter((part) => part !== '')) {
      const made = new Set([...table.matchAll(/^:(\S+)/gm)].map((match) => match[1]!))
      const used = [...table.matchAll(/-j (\S+)|^-A (\S+)/gm)].map((match) => match[1] ?? match[2]!)
      for (const name of used.filter((name) => name.startsWith('RAIND-'))) assert.ok(made.has(name), name)
      for (const name of made) assert.ok(name.length <= 28, name)
    }
  })
})

test('IPv6 has the same rules for traffic, and none for names', () => {
  const ipv6 = { subnet: 'FD12:3456:789a:0::5/64', gateway: 'fd12:3456:789a::1' }
  const chains = bridgeChains({ ...raind1, ipv6 }).filter(({ family }) => family === 6)
  assert.equal(
    renderRebuild(chains, [], ''),
    `*raw
:RAIND-RAW-raind1 - [0:0]
-A RAIND-RAW-raind1 -d ::1/128 -j DROP
-A RAIND-RAW-raind1 -s ::1/128 -j DROP
-I PREROUTING 1 -i raind1 -j RAIND-RAW-raind1
COMMIT
*mangle
:RAIND-IN-raind1 - [0:0]
-A RAIND-IN-raind1 ! -i raind1 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-I FORWARD 1 -o raind1 -j RAIND-IN-raind1
COMMIT
*filter
:RAIND-FWD-raind1 - [0:0]
-A RAIND-FWD-raind1 -i raind1 -j ACCEPT
-A RAIND-FWD-raind1 -o raind1 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT
-I FORWARD 1 -j RAIND-FWD-raind1
COMMIT
*nat
:RAIND-SNAT-raind1 - [0:0]
-A RAIND-SNAT-raind1 -s fd12:3456:789a::/64 ! -o raind1 -j MASQUERADE
-A RAIND-SNAT-raind1 -s fd12:3456:789a::/64 -o raind1 -m conntrack --ctstate DNAT -j MASQUERADE
-I POSTROUTING 1 ! -o lo -j RAIND-SNAT-raind1
COMMIT
`,
  )
  assert.deepEqual(
    bridgeChains(raind1)
      .map(({ family }) => family)
      .filter((family) => family === 6),
    [],
  )
})

describe('with Services', () => {
  const ipv6 = { subnet: 'fd12:3456:789a::/64', gateway: 'fd12:3456:789a::1' }
  const services = { bridge: 'raind0', subnet: '10.96.0.0/16', keepsClients: true }
  const added = (keepsClients: boolean) => {
    const plain = renderRebuild(bridgeChains({ ...raind1, ipv6 }), [], '').split('\n')
    const text = renderRebuild(bridgeChains({ ...raind1, ipv6 }, { ...services, keepsClients }), [], '')
    return text.split('\n').filter((line) => !plain.includes(line))
  }

  test('a container is refused what no Service takes before it is let through, and keeps its address to its neighbours', () => {
    assert.deepEqual(added(true), [
      '-A RAIND-FWD-raind1 -d 10.96.0.0/16 -i raind1 -p tcp -j REJECT --reject-with tcp-reset',
      '-A RAIND-FWD-raind1 -d 10.96.0.0/16 -i raind1 -j REJECT --reject-with icmp-port-unreachable',
      '-A RAIND-SNAT-raind1 -s 10.167.0.0/24 -o raind1 -m conntrack --ctorigdst 10.96.0.0/16 ' +
        '-m bpf --bytecode "6,32 0 0 12,7 0 0 0,32 0 0 16,29 0 1 0,6 0 0 0,6 0 0 1" -j RETURN',
    ])
    const { rules } = bridgeChains(raind1, services).find(({ name }) => name === 'RAIND-FWD-raind1')!
    assert.match(rules[0]!, /REJECT/)
  })

  test('what comes from elsewhere is refused too, once for all networks', () => {
    const text = renderRebuild(bridgeChains(raind0, services), [], '')
    assert.deepEqual(text.match(/^.*NOSVC.*$/gm), [
      ':RAIND-NOSVC-raind0 - [0:0]',
      '-A RAIND-NOSVC-raind0 -d 10.96.0.0/16 -p tcp -j REJECT --reject-with tcp-reset',
      '-A RAIND-NOSVC-raind0 -d 10.96.0.0/16 -j REJECT --reject-with icmp-port-unreachable',
      '-I FORWARD 1 -d 10.96.0.0/16 -j RAIND-NOSVC-raind0',
      '-I OUTPUT 1 -d 10.96.0.0/16 -j RAIND-NOSVC-raind0',
    ])
  })

  test('where answers within a bridge do not meet iptables, all are masqueraded', () => {
    assert.doesNotMatch(added(false).join('\n'), /RETURN/)
  })
})
