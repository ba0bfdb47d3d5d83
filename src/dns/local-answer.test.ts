import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerLocally } from './local-answer.ts'
import { encodeName, isBad, parseQuery } from './message.ts'
import { nameTables } from './records.ts'

const long = 'x'.repeat(100)
const tables = nameTables({
  networks: [
    {
      name: 'a',
      gateway: '10.0.0.254',
      subnet: '10.0.0.0/24',
      subnet6: 'fd00:0:0:1::/64',
      endpoints: [
        { names: [long, 'Web', 'web.example'], addresses: ['10.0.0.1', 'fd00:0:0:1::2'], networks: ['a', 'gone'] },
        { names: ['c..d'], addresses: ['10.0.0.2'], networks: ['a'] },
        { names: ['short'], addresses: ['10.0.0.3'], networks: ['a'] },
      ],
    },
  ],
})

function answersTo(name: string, type: number): { rcode: number; count: number } | undefined {
  const question = Buffer.concat([encodeName(name), Buffer.from([0, type, 0, 1])])
  const query = parseQuery(Buffer.concat([Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), question]))
  assert.ok(query !== undefined && !isBad(query))
  const answer = answerLocally(query, new Map(tables.map((table) => [table.network, table])), tables[0]!, '10.0.0.1')
  return answer && { rcode: answer[3]! & 15, count: answer.readUInt16BE(6) }
}

test('names are found whatever their case; those that are none of ours are left to others', () => {
  assert.deepEqual(answersTo('web', 1), { rcode: 0, count: 1 })
  assert.deepEqual(answersTo('WEB.Example', 1), { rcode: 0, count: 1 })
  assert.deepEqual(answersTo('web', 28), { rcode: 0, count: 1 })
  assert.deepEqual(answersTo('web', 255), { rcode: 0, count: 2 })
  assert.deepEqual(answersTo('short', 28), { rcode: 0, count: 0 }, 'it exists, without one')
  assert.equal(answersTo('web.other', 1), undefined)
  assert.equal(answersTo('1.0.0.11.in-addr.arpa', 12), undefined)
})

test('an address is called by the first name that DNS can hold, or by none', () => {
  assert.deepEqual(answersTo('1.0.0.10.in-addr.arpa', 12), { rcode: 0, count: 1 })
  assert.deepEqual(answersTo('1.0.0.10.in-addr.arpa', 1), { rcode: 0, count: 0 })
  assert.deepEqual(answersTo('2.0.0.10.in-addr.arpa', 12), { rcode: 3, count: 0 })
  const in6 = (last: string, net = '1') => `${last}.${'0.'.repeat(15)}${net}.${'0.'.repeat(11)}0.0.d.f.ip6.arpa`
  assert.deepEqual(answersTo(in6('2'), 12), { rcode: 0, count: 1 })
  assert.deepEqual(answersTo(in6('3'), 12), { rcode: 3, count: 0 })
  assert.equal(answersTo(in6('2', '2'), 12), undefined)
})
