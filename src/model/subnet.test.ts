import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
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
  assert.equal(subnetText(parseContainerSubnet('10.1.16.0/20')), '10.1.16.0/20')
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
    assert.throws(() => parseContainerSubnet(text), { code: 'invalid_argument' }, text)
})

test('isHostOf() leaves out the first and the last address', () => {
  const subnet = parseSubnet('10.0.0.0/29')
  const hosts = [0, 1, 6, 7, 8].map((byte) => isHostOf(subnet, `10.0.0.${byte}`))
  assert.deepEqual(hosts, [false, true, true, false, false])
  assert.equal(isHostOf(subnet, 'nonsense'), false)
})

test('freeSubnet() finds the first that overlaps nothing, if there is one', () => {
  const pool = parseSubnet('10.166.0.0/16')
  const taken = (...texts: string[]) => texts.map(parseSubnet)
  assert.equal(subnetText(freeSubnet(pool, 24, taken('10.166.0.0/20', '10.166.17.0/24'))!), '10.166.16.0/24')
  assert.equal(freeSubnet(pool, 24, taken('10.0.0.0/8')), undefined)
  const block = fc
    .integer({ min: 20, max: 30 })
    .chain((prefix) => fc.integer({ min: pool.first, max: pool.last }).map((address) => subnetAround(address, prefix)))
  fc.assert(
    fc.property(fc.array(block, { maxLength: 300 }), (others) => {
      const found = freeSubnet(pool, 24, others)
      if (found !== undefined) assert.ok(!others.some((other) => subnetsOverlap(other, found)))
      else
        for (let index = 0; index < 256; index++)
          assert.ok(others.some((other) => subnetsOverlap(other, subnetAround(pool.first + index * 256, 24))))
    }),
  )
})
