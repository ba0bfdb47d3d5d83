import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeName, isBad, parseQuery, parseResponse, type Query, RCODE, TYPE } from './message.ts'
import { errorReply, fit, readdress, reply, upstreamQuery } from './reply.ts'

const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,30}$/)
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))
const queries = fc
  .record({ id: fc.nat(0xffff), flags: fc.constantFrom(0, 0x0100, 0x0130), name, type: fc.constantFrom(1, 16, 28) })
  .map(({ id, flags, name, type }) => ({ name, type, message: queryMessage(id, flags, name, type) }))

function queryMessage(id: number, flags: number, name: string, type: number, extra: readonly number[] = []): Buffer {
  const header = Buffer.from([
    id >> 8,
    id & 255,
    flags >> 8,
    flags & 255,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    extra.length > 0 ? 1 : 0,
  ])
  return Buffer.concat([header, encodeName(name), Buffer.from([0, type, 0, 1]), Buffer.from(extra)])
}

function goodQuery(message: Buffer): Query {
  const query = parseQuery(message)
  assert.ok(query !== undefined && !isBad(query))
  return query
}

test('any bytes are read, refused or ignored; what answers them is no longer than they are', () => {
  const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array))
  const broken = fc
    .tuple(queries, fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
    .map(([{ message }, changes, length]) => {
      for (const [at, value] of changes) if (at < message.length) message[at] = value
      return message.subarray(0, Math.max(1, message.length - length))
    })
  fc.assert(
    fc.property(fc.oneof(bytes, broken), (message) => {
      const query = parseQuery(message)
      if (query === undefined) return
      const answer = isBad(query) ? errorReply(query) : reply(query, RCODE.noSuchName)
      assert.ok(answer.length <= message.length + (isBad(query) || query.edns === undefined ? 0 : 11))
      if (!isBad(query)) assert.ok(fit(query, Buffer.alloc(4000), 'udp').length <= message.length + 11)
    }),
    { numRuns: 2000 },
  )
})

test('any bytes are an answer, or none', () => {
  const pairs = fc.tuple(queries, fc.uint8Array({ maxLength: 300 }))
  fc.assert(
    fc.property(
      pairs,
      fc.boolean(),
      fc.array(fc.nat(9), { minLength: 3, maxLength: 3 }),
      ([{ message }, tail], cut, counts) => {
        const response = Buffer.concat([message, tail])
        response.writeUInt16BE(cut ? 0x8380 : 0x8180, 2)
        for (const [index, count] of counts.entries()) response.writeUInt16BE(count, 6 + 2 * index)
        const parsed = parseResponse(response, message)
        for (const { dataOffset, dataBytes } of parsed?.records ?? [])
          assert.ok(dataOffset + dataBytes <= response.length)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a query is read as it was written, whatever the case of its name', () => {
  fc.assert(
    fc.property(queries, ({ name, type, message }) => {
      const query = goodQuery(message)
      assert.equal(query.name, name.toLowerCase())
      assert.equal(query.type, type)
      const upper = Buffer.from(message)
      for (let at = 12; at < upper.length - 4; at++) if (upper[at]! >= 0x61 && upper[at]! <= 0x7a) upper[at]! -= 0x20
      assert.equal(goodQuery(upper).key, query.key)
    }),
  )
})

test('what goes to a server is read as the same question, and its answer comes back with the id and spelling asked', () => {
  const query = goodQuery(queryMessage(0x1234, 0x0110, 'Web.Example', TYPE.A))
  const sent = upstreamQuery(query, 0x4321)
  assert.equal(goodQuery(sent).key, query.key)
  const answer = reply(goodQuery(queryMessage(0x4321, 0x0110, 'wEB.eXAMPLE', TYPE.A)), RCODE.ok, [
    { type: TYPE.A, ttl: 5, data: Buffer.from([192, 0, 2, 1]) },
  ])
  const response = parseResponse(answer, sent)
  assert.ok(response)
  assert.deepEqual(
    response.records.map(({ type, ttl, section }) => [type, ttl, section]),
    [[TYPE.A, 5, 'answer']],
  )
  const back = readdress(query, response.message)
  assert.equal(back.readUInt16BE(0), 0x1234)
  assert.ok(back.includes('Example'))
})

test('an answer with another id, another question or none is not one', () => {
  const query = goodQuery(queryMessage(1, 0x0100, 'web', TYPE.A))
  const sent = upstreamQuery(query, 7)
  const answer = (id: number, name: string, type: number) =>
    reply(goodQuery(queryMessage(id, 0x0100, name, type)), RCODE.ok)
  assert.ok(parseResponse(answer(7, 'web', TYPE.A), sent))
  assert.equal(parseResponse(answer(8, 'web', TYPE.A), sent), undefined)
  assert.equal(parseResponse(answer(7, 'wep', TYPE.A), sent), undefined)
  assert.equal(parseResponse(answer(7, 'web', TYPE.AAAA), sent), undefined)
  assert.equal(parseResponse(sent, sent), undefined)
  assert.equal(parseResponse(answer(7, 'web', TYPE.A).subarray(0, 12), sent), undefined)
})

test('a dot within a label makes no other name of it', () => {
  const message = Buffer.concat([
    queryMessage(1, 0, 'x', 1).subarray(0, 12),
    Buffer.from([3]),
    Buffer.from('a.b'),
    Buffer.from([0, 0, 1, 0, 1]),
  ])
  assert.equal(goodQuery(message).name, 'a\\.b')
})
