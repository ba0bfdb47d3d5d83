import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalSubnet, defaultMac, inSubnet, nextAddress } from './addresses.ts'

const subnet = '10.166.0.0/20'
const gateway = '10.166.0.254'

describe('nextAddress', () => {
  test('begins at the first address and goes on after the last one given', () => {
    assert.equal(
      nextAddress(subnet, gateway, undefined, () => false),
      '10.166.0.1',
    )
    assert.equal(
      nextAddress(subnet, gateway, '10.166.0.1', () => false),
      '10.166.0.2',
    )
    assert.equal(
      nextAddress(subnet, gateway, '10.166.0.255', () => false),
      '10.166.1.0',
    )
  })

  test('passes over the gateway and goes round at the end', () => {
    assert.equal(
      nextAddress(subnet, gateway, '10.166.0.253', () => false),
      '10.166.0.255',
    )
    assert.equal(
      nextAddress(subnet, gateway, '10.166.15.254', () => false),
      '10.166.0.1',
    )
  })

  test('begins anew if the last address lies outside the subnet', () => {
    assert.equal(
      nextAddress(subnet, gateway, '192.168.0.1', () => false),
      '10.166.0.1',
    )
  })

  test('does the same with IPv6', () => {
    const [subnet6, gateway6] = ['fd12:3456:789a::/64', 'fd12:3456:789a::1']
    const after = (last?: string, ...taken: string[]) =>
      nextAddress(subnet6, gateway6, last, (it) => taken.includes(it))
    assert.equal(after(), 'fd12:3456:789a::2')
    assert.equal(after('fd12:3456:789a::9', 'fd12:3456:789a::a'), 'fd12:3456:789a::b')
    assert.equal(after('fd12:3456:789a::ffff'), 'fd12:3456:789a::1:0')
    assert.equal(after('fd12:3456:789a:0:ffff:ffff:ffff:fffe'), 'fd12:3456:789a::2')
    assert.throws(() => nextAddress('fd00::/126', 'fd00::1', 'fd00::2', (it) => it === 'fd00::2'), {
      code: 'resource_exhausted',
    })
  })

  test('says so when all are taken', () => {
    assert.throws(() => nextAddress('10.0.0.0/30', '10.0.0.1', undefined, () => true), { code: 'resource_exhausted' })
    assert.throws(() => nextAddress('10.0.0.0/31', '10.0.0.1', undefined, () => false), { code: 'resource_exhausted' })
  })

  test('gives each usable address once before it gives one again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 30 }), fc.integer({ min: 1, max: 2 ** 32 - 1 }), (prefix, seed) => {
        const first = (seed >>> (32 - prefix)) * 2 ** (32 - prefix)
        const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
        const cidr = `${text(first)}/${prefix}`
        const usable = 2 ** (32 - prefix) - 3
        const ownGateway = text(first + 1 + (seed % (usable + 1)))
        const given = new Set<string>()
        let last: string | undefined
        for (let count = 0; count < usable; count++) {
          last = nextAddress(cidr, ownGateway, last, (address) => given.has(address))
          given.add(last)
        }
        assert.equal(given.size, usable)
        for (const forbidden of [text(first), text(first + usable + 2), ownGateway]) assert.ok(!given.has(forbidden))
        assert.throws(() => nextAddress(cidr, ownGateway, last, (address) => given.has(address)), {
          code: 'resource_exhausted',
        })
      }),
      { numRuns: 30 },
    )
  })
})

test('subnets are written in their canonical form, and refused if they are none', () => {
  assert.equal(canonicalSubnet('10.166.5.9/20'), '10.166.0.0/20')
  assert.equal(inSubnet('10.166.0.254', subnet), '10.166.0.254/20')
  for (const text of ['10.166.0.0', '10.166.0/20', '10.166.0.0/33', '10.166.0.0/x', 'fd00::/129', '10.0.0.0/8/8', '']) {
    assert.throws(() => canonicalSubnet(text), { code: 'invalid_argument' }, text)
  }
})

test('a MAC is derived from the address', () => {
  assert.equal(defaultMac('10.166.0.254'), '02:42:0a:a6:00:fe')
})
