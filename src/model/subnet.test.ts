import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import {
  freeSubnet,
  isHostOf,
  parseContainerSubnet,
  parseSubnet,
  subnetAround,
  subnetsOverlap,
  subnetText,
} from './subnet.ts'

test('parseContainerSubnet() takes networks by their own address, and no others', () => {
  assert.equal(subnetText(parseContainerSubnet('10.1.16.0/20', 4)), '10.1.16.0/20')
  for (const text of [
    '10.1.17.0/20',
    '10.1.0.0/30',
    '10.0.0.0/7',
    '127.0.0.0/16',
    '224.0.0.0/8',
    '10.0.0.0',
    'x/8',
    '::/64',
  ])
    assert.throws(() => parseContainerSubnet(text, 4), { code: 'invalid_argument' }, text)
})

test('isHostOf() leaves out the first and the last address', () => {
  const subnet = parseSubnet('10.0.0.0/29')
  const hosts = [0, 1, 6, 7, 8].map((byte) => isHostOf(subnet, `10.0.0.${byte}`))
  assert.deepEqual(hosts, [false, true, true, false, false])
  assert.equal(isHostOf(subnet, 'nonsense'), false)
})

test('freeSubnet() finds the first that overlaps nothing, if there is one', () => {
  const pool = parseSubnet('10.166.0.0/16')
  const taken = (...texts: string[]) => texts.map((text) => parseSubnet(text))
  assert.equal(subnetText(freeSubnet(pool, 24, taken('10.166.0.0/20', '10.166.17.0/24'))!), '10.166.16.0/24')
  assert.equal(freeSubnet(pool, 24, taken('10.0.0.0/8')), undefined)
  const block = fc
    .integer({ min: 20, max: 30 })
    .chain((prefix) =>
      fc.bigInt({ min: pool.first, max: pool.last }).map((address) => subnetAround(address, prefix, 4)),
    )
  fc.assert(
    fc.property(fc.array(block, { maxLength: 300 }), (others) => {
      const found = freeSubnet(pool, 24, others)
      if (found !== undefined) assert.ok(!others.some((other) => subnetsOverlap(other, found)))
      else
        for (let index = 0n; index < 256n; index++)
          assert.ok(others.some((other) => subnetsOverlap(other, subnetAround(pool.first + index * 256n, 24, 4))))
    }),
  )
})

test('parseContainerSubnet() takes IPv6 where it is asked for, and writes it in its one form', () => {
  assert.equal(subnetText(parseContainerSubnet('2001:DB8:0:1::/64', 6)), '2001:db8:0:1::/64')
  for (const text of [
    'fd00::1/64',
    'fd00::/126',
    'fd00::/129',
    'fd00::/15',
    'fe80::/64',
    'ff02::/64',
    '::/64',
    '::ffff:10.0.0.0/112',
    'fd00::%eth0/64',
    'fd00::',
    '10.0.0.0/24',
    'x/64',
    '',
  ])
    assert.throws(() => parseContainerSubnet(text, 6), { code: 'invalid_argument' }, text)
})

test('parseContainerSubnet() takes any text, or says invalid_argument', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9a-f:./]{0,40}$/),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 130 })).map(([address, prefix]) => `${address}/${prefix}`),
  )
  fc.assert(
    fc.property(texts, fc.constantFrom(4 as const, 6 as const), (text, family) => {
      try {
        const subnet = parseContainerSubnet(text, family)
        assert.deepEqual(parseContainerSubnet(subnetText(subnet), family), subnet)
        assert.equal(subnet.family, family)
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 'invalid_argument', String(error))
      }
    }),
  )
})

test('a subnet of IPv6 has hosts, and free parts', () => {
  const pool = parseSubnet('fd12:3456:789a::/48')
  const first = freeSubnet(pool, 64, [parseSubnet('10.0.0.0/8')])!
  assert.equal(subnetText(first), 'fd12:3456:789a::/64')
  assert.equal(
    subnetText(freeSubnet(pool, 64, [first, parseSubnet('fd12:3456:789a:1:8000::/65')])!),
    'fd12:3456:789a:2::/64',
  )
  assert.equal(freeSubnet(pool, 64, [parseSubnet('fd12::/16')]), undefined)
  assert.deepEqual(
    ['fd12:3456:789a::', 'fd12:3456:789a::1'].map((address) => isHostOf(first, address)),
    [false, true],
  )
  assert.ok(isHostOf(first, 'FD12:3456:789A:0:ffff:ffff:ffff:fffe'))
  assert.ok(!isHostOf(first, 'fd12:3456:789a:0:ffff:ffff:ffff:ffff'))
  assert.ok(!isHostOf(first, '10.0.0.1'))
})
