import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cache, secondsToKeep } from './cache.ts'
import { type Response, TYPE, type WireRecord } from './message.ts'

/** A message that is all data: one record whose time to live is at offset 0. */
function response(
  ttl: number,
  change: Partial<Response> & { readonly section?: WireRecord['section'] } = {},
): Response {
  const { section = 'answer', ...rest } = change
  const message = Buffer.alloc(100)
  message.writeUInt32BE(ttl, 0)
  const record = { section, type: TYPE.A, class: 1, ttl, ttlOffset: 0, dataOffset: 4, dataBytes: 4 }
  return { message, rcode: 0, truncated: false, records: [record], ...rest }
}

function negative(ttl: number, minimum: number): Response {
  const message = Buffer.alloc(100)
  message.writeUInt32BE(minimum, 20 + 22 - 4)
  const soa = {
    section: 'authority',
    type: TYPE.SOA,
    class: 1,
    ttl,
    ttlOffset: 0,
    dataOffset: 20,
    dataBytes: 22,
  } as const
  return { message, rcode: 3, truncated: false, records: [soa] }
}

test('times to live run down, and end', () => {
  let now = 1000.9
  const cache = new Cache(10_000, () => now)
  cache.put('a', response(30))
  assert.equal(cache.get('a')?.readUInt32BE(0), 30)
  now += 10.2
  assert.equal(cache.get('a')?.readUInt32BE(0), 20)
  now += 19.9
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.get('b'), undefined)
})

test('the oldest make room, and the size is bounded', () => {
  const cache = new Cache(2000)
  for (let index = 0; index < 100; index++) cache.put(`key ${index}`, response(60))
  const kept = Array.from({ length: 100 }, (_, index) => index).filter(
    (index) => cache.get(`key ${index}`) !== undefined,
  )
  assert.ok(kept.length > 2 && kept.length * 300 <= 2000)
  assert.equal(kept.at(-1), 99)
  cache.put('key 99', response(60))
  assert.ok(cache.get(`key ${kept[0]}`))
  cache.clear()
  assert.equal(cache.get('key 99'), undefined)
})

test('what an answer is kept for', () => {
  assert.equal(secondsToKeep(response(30)), 30)
  assert.equal(secondsToKeep(response(0)), 0)
  assert.equal(secondsToKeep(response(0x8000_0000)), 0)
  assert.equal(secondsToKeep(response(1_000_000)), 86_400)
  assert.equal(secondsToKeep(response(30, { truncated: true })), 0)
  assert.equal(secondsToKeep(response(30, { rcode: 2 })), 0)
  assert.equal(secondsToKeep(response(30, { section: 'additional' })), 0)
  assert.equal(secondsToKeep(negative(60, 20)), 20)
  assert.equal(secondsToKeep(negative(10, 20)), 10)
  assert.equal(secondsToKeep(negative(100_000, 100_000)), 900)
  assert.equal(secondsToKeep({ ...negative(60, 20), rcode: 0 }), 20)
})
