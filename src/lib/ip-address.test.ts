import assert from 'node:assert/strict'
import { SocketAddress } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressBytes, addressFamily, addressText, canonicalAddress } from './ip-address.ts'

test('addresses of both families are read', () => {
  assert.equal(addressBytes('10.0.200.3').toString('hex'), '0a00c803')
  assert.equal(addressBytes('::').toString('hex'), '0'.repeat(32))
  assert.equal(addressBytes('::1').toString('hex'), `${'0'.repeat(31)}1`)
  assert.equal(addressBytes('fd00::').toString('hex'), `fd00${'0'.repeat(28)}`)
  assert.equal(addressBytes('2001:db8:0:0:1::ff').toString('hex'), `${'20010db8000000000001'.padEnd(28, '0')}00ff`)
  assert.equal(addressBytes('64:ff9b::192.0.2.33').toString('hex'), `0064ff9b${'0'.repeat(16)}c0000221`)
})

test('each address has one text, that of inet_ntop(3)', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  const address = fc.array(group, { minLength: 8, maxLength: 8 }).filter(([first]) => first !== 0)
  fc.assert(
    fc.property(address, (groups) => {
      const bytes = Buffer.from(groups.flatMap((value) => [value >> 8, value & 255]))
      const spelled = groups.map((value) => value.toString(16).toUpperCase().padStart(4, '0')).join(':')
      const text = addressText(bytes)
      assert.equal(text, new SocketAddress({ family: 'ipv6', address: spelled }).address)
      assert.equal(canonicalAddress(spelled), text)
      assert.deepEqual(addressBytes(text), bytes)
    }),
  )
  fc.assert(
    fc.property(fc.ipV6(), (text) => assert.deepEqual(addressBytes(canonicalAddress(text)), addressBytes(text))),
  )
  fc.assert(fc.property(fc.ipV4(), (text) => assert.equal(canonicalAddress(text), text)))
})

test('what has a zone, or is none, is no address', () => {
  assert.deepEqual(['::1', '1.2.3.4', 'fe80::1%eth0', '1.2.3', '[::1]', ''].map(addressFamily), [
    6,
    4,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
