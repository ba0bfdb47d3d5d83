import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeQuery } from '../../test/support/dns-client.ts'
import { isBad, parseQuery, parseResponse, type Query, RCODE, TYPE } from './message.ts'
import { type Answer, fit, inTurn, reply } from './reply.ts'

const BYTES = { head: 12, question: 9, record: 12, opt: 11 }
const soa = { owner: Buffer.of(1, 0x78, 0), type: TYPE.SOA, ttl: 5, data: Buffer.alloc(30) }

function ask(ednsBytes?: number): { query: Query; sent: Buffer } {
  const sent = encodeQuery('web', TYPE.A, ednsBytes)
  const query = parseQuery(sent)
  assert.ok(query !== undefined && !isBad(query))
  return { query, sent }
}

/** A message of that many bytes, with one record. */
function response(query: Query, bytes: number): Buffer {
  const rest = query.edns === undefined ? 0 : BYTES.opt
  const data = Buffer.alloc(bytes - BYTES.head - BYTES.question - BYTES.record - rest)
  const message = reply(query, RCODE.ok, [{ type: TYPE.TXT, ttl: 0, data }])
  assert.equal(message.length, bytes)
  return message
}

const isCut = (message: Buffer) => (message.readUInt16BE(2) & 0x0200) !== 0
const addresses = (count: number): Answer[] =>
  Array.from({ length: count }, (_, index) => ({
    type: TYPE.A,
    ttl: 5,
    data: Buffer.of(10, 0, index >> 8, index & 255),
  }))

test('a client gets as many bytes as it takes', () => {
  const cut = (ednsBytes: number | undefined, bytes: number, transport: 'udp' | 'tcp' = 'udp') => {
    const { query } = ask(ednsBytes)
    return isCut(fit(query, response(query, bytes), transport))
  }
  assert.deepEqual([cut(undefined, 512), cut(undefined, 513)], [false, true])
  assert.deepEqual([cut(100, 512), cut(100, 513)], [false, true])
  assert.deepEqual([cut(1000, 1000), cut(1000, 1001)], [false, true])
  assert.deepEqual([cut(65_000, 1232), cut(65_000, 1233)], [false, true])
  assert.equal(cut(undefined, 0xffff, 'tcp'), false)
})

test('a truncated answer has as many whole records as fit, and says that there are more', () => {
  for (const [ednsBytes, limit] of [
    [undefined, 512],
    [600, 600],
    [4096, 1232],
  ] as const) {
    const { query, sent } = ask(ednsBytes)
    const whole = reply(query, RCODE.ok, addresses(300))
    const message = fit(query, whole, 'udp')
    const opt = ednsBytes === undefined ? 0 : BYTES.opt
    const count = Math.floor((limit - BYTES.head - BYTES.question - opt) / 16)
    assert.ok(isCut(message))
    assert.equal(message.readUInt16BE(6), count)
    assert.equal(message.length, BYTES.head + BYTES.question + 16 * count + opt)
    assert.ok(parseResponse(message, sent)?.truncated)
    assert.equal(fit(query, whole, 'tcp'), whole)
  }
})

test('what no message can hold is truncated by TCP too', () => {
  const { query } = ask()
  const message = fit(query, reply(query, RCODE.ok, addresses(5000)), 'tcp')
  assert.ok(isCut(message))
  assert.equal(message.readUInt16BE(6), Math.floor((0xffff - BYTES.head - BYTES.question) / 16))
})

test('what is only additional goes without a word', () => {
  const { query, sent } = ask()
  const whole = reply(query, RCODE.ok, addresses(31))
  // All but the first ten are in the third section from now on.
  whole.writeUInt16BE(10, 6)
  whole.writeUInt16BE(21, 10)
  const message = fit(query, whole, 'udp')
  assert.equal(whole.length, 517)
  assert.equal(isCut(message), false)
  assert.deepEqual(new Set(parseResponse(message, sent)?.records.map(({ section }) => section)), new Set(['answer']))
  assert.equal(message.readUInt16BE(6), 10)
})

test('a negative answer says how long that may be kept', () => {
  const { query, sent } = ask(1232)
  const { rcode, records } = parseResponse(reply(query, RCODE.noSuchName, [], soa), sent)!
  assert.equal(rcode, RCODE.noSuchName)
  assert.deepEqual(
    records.map(({ section, type, ttl, dataBytes }) => [section, type, ttl, dataBytes]),
    [
      ['authority', TYPE.SOA, 5, 30],
      ['additional', TYPE.OPT, 0, 0],
    ],
  )
})

test('each has its turn to be the first, and none is lost', () => {
  const all = addresses(3)
  const orders = new Set(
    Array.from({ length: 200 }, () =>
      inTurn(all)
        .map(({ data }) => data[3])
        .join(''),
    ),
  )
  assert.deepEqual(orders, new Set(['012', '120', '201']))
  assert.deepEqual(inTurn([]), [])
})
