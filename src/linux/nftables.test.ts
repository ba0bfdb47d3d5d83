import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addElements, addRule, createMap, createNatChain } from './nftables.ts'
import {
  addressField,
  compare,
  HEADER,
  loadHeader,
  lookUp,
  portField,
  protocolField,
  rewriteDestination,
} from './nftables-expressions.ts'

/** Everything after the netlink header, in words of 4 bytes. */
function body(message: { encode(sequence: number): Buffer }): string {
  return message.encode(1).subarray(16).toString('hex').match(/.{8}/g)!.join(' ')
}

const t = { family: 4, name: 't' } as const

// The expected bytes are those that nft 1.0.6 sends for the same (`nft --debug=mnl`).

test('a base chain is laid out as nft does', () => {
  assert.equal(
    body(createNatChain(t, { name: 'output', hook: 3, priority: -101 })),
    '02000000 06000100 74000000 0b000300 6f757470 75740000 08000700 6e617400 ' +
      '14000480 08000100 00000003 08000200 ffffff9b',
  )
})

test('a map of concatenations is laid out as nft does', () => {
  const map = { name: 'any', key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] } as const
  assert.equal(
    body(createMap(t, map, 1)),
    '02000000 06000100 74000000 08000200 616e7900 08000300 00000008 08000400 0000030d 08000500 00000008 ' +
      '08000600 000001cd 08000700 00000008 08000a00 00000001',
  )
})

test('elements are laid out as nft does, in as many messages as it takes', () => {
  const element = {
    key: Buffer.concat([protocolField(6), portField(8080)]),
    data: Buffer.concat([addressField('10.166.0.1'), portField(80)]),
  }
  const [message, ...none] = addElements(t, 'any', [element])
  assert.deepEqual(none, [])
  assert.equal(
    body(message!),
    '02000000 06000100 74000000 08000200 616e7900 28000380 24000180 10000180 0c000100 06000000 1f900000 ' +
      '10000280 0c000100 0aa60001 00500000',
  )
  assert.deepEqual(addElements(t, 'any', []), [])
  assert.equal(addElements(t, 'any', new Array(65_536).fill(element)).length, 164)
})

// But that nft names the first register by its older number, and the map by its id too.
test('a rule is a list of expressions, laid out as nft does', () => {
  const rule = addRule(
    t,
    'c',
    [
      loadHeader(HEADER.NETWORK, 16, 1, 0),
      compare(0, '!=', Buffer.of(127)),
      lookUp('any', 0, 0),
      rewriteDestination(4, 0, 1),
    ],
    'x',
  )
  assert.equal(
    body(rule),
    '02000000 06000100 74000000 06000200 63000000 c0000480 ' +
      '34000180 0c000100 7061796c 6f616400 24000280 08000100 00000008 08000200 00000001 08000300 00000010 08000400 00000001 ' +
      '2c000180 08000100 636d7000 20000280 08000100 00000008 08000200 00000001 0c000380 05000100 7f000000 ' +
      '2c000180 0b000100 6c6f6f6b 75700000 1c000280 08000100 616e7900 08000200 00000008 08000300 00000008 ' +
      '30000180 08000100 6e617400 24000280 08000100 00000001 08000200 00000002 08000300 00000008 08000500 00000009 ' +
      '08000700 00027800',
  )
})

test('IPv6 differs in the family, and in the size of an address', () => {
  const t6 = { family: 6, name: 't' } as const
  const map = {
    name: 'addr',
    key: ['ipv6_addr', 'inet_proto', 'inet_service'],
    data: ['ipv6_addr', 'inet_service'],
  } as const
  assert.equal(
    body(createMap(t6, map, 1)),
    '0a000000 06000100 74000000 09000200 61646472 00000000 08000300 00000008 08000400 0000830d 08000500 00000018 ' +
      '08000600 0000020d 08000700 00000014 08000a00 00000001',
  )
  const key = Buffer.concat([addressField('fd00::1'), protocolField(17), portField(53)])
  const [message] = addElements(t6, 'addr', [{ key, data: Buffer.concat([addressField('fd00::2'), portField(53)]) }])
  assert.match(
    body(message!),
    /^0a000000 .* fd000000 00000000 00000000 00000001 11000000 00350000 .* fd000000 00000000 00000000 00000002 00350000$/,
  )
})
