import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressBytes, reversedAddress, reverseName } from './reverse-name.ts'

test('addresses of both families', () => {
  assert.equal(addressBytes('10.0.200.3').toString('hex'), '0a00c803')
  assert.equal(addressBytes('::').toString('hex'), '0'.repeat(32))
  assert.equal(addressBytes('::1').toString('hex'), `${'0'.repeat(31)}1`)
  assert.equal(addressBytes('fd00::').toString('hex'), `fd00${'0'.repeat(28)}`)
  assert.equal(addressBytes('2001:db8:0:0:1::ff').toString('hex'), `${'20010db8000000000001'.padEnd(28, '0')}00ff`)
  assert.equal(reverseName('::1'), `1.${'0.'.repeat(31)}ip6.arpa`)
})

test('IPv4 names lead back to the address', () => {
  fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(reversedAddress(reverseName(address)), address)))
  for (const name of ['1.2.3.in-addr.arpa', '256.1.1.1.in-addr.arpa', '1.2.3.4', '1.2.3.4.in-addr.arpa.x', ''])
    assert.equal(reversedAddress(name), undefined)
})
