import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalAddress } from '../lib/ip-address.ts'
import { reversedAddress, reverseName } from './reverse-name.ts'

test('names lead back to the address', () => {
  assert.equal(reverseName('::1'), `1.${'0.'.repeat(31)}ip6.arpa`)
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) =>
      assert.equal(reversedAddress(reverseName(address)), canonicalAddress(address)),
    ),
  )
  for (const name of [
    '1.2.3.in-addr.arpa',
    '256.1.1.1.in-addr.arpa',
    '1.2.3.4',
    '1.2.3.4.in-addr.arpa.x',
    '1.ip6.arpa',
    `${'0.'.repeat(33)}ip6.arpa`,
    '',
  ])
    assert.equal(reversedAddress(name), undefined)
})
