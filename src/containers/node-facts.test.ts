import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseResolvConf } from './node-facts.ts'

test('parseResolvConf()', () => {
  const text =
    'nameserver 10.0.0.1\n# nameserver 1.1.1.1\n nameserver\t10.0.0.2\ndomain a.example\nsearch b.example c.example\noptions edns0 ndots:2\noptions rotate\n'
  assert.deepEqual(parseResolvConf(text), {
    servers: ['10.0.0.1', '10.0.0.2'],
    search: ['b.example', 'c.example'],
    options: ['edns0', 'ndots:2', 'rotate'],
  })
  assert.deepEqual(parseResolvConf('search a\ndomain b\n').search, ['b'])
  assert.deepEqual(parseResolvConf(''), { servers: [], search: [], options: [] })
})
