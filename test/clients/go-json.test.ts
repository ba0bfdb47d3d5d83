import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeGo, encodeGo, type GoType } from '../support/go-json.ts'

const TYPE: GoType = {
  struct: { name: 'string', pid: 'int', at: 'time.Time', command: { slice: 'string' }, ok: 'bool', part: 'float64' },
}

test('what Go takes: any case, unknown keys, null and nothing for the zero value', () => {
  const decoded = decodeGo(
    TYPE,
    '{"NAME":"a","pid":12,"at":"2026-01-02T03:04:05.123456789+09:00","new":{},"part":1.5,"ok":true}',
  )
  assert.deepEqual(decoded, {
    name: 'a',
    pid: 12,
    at: new Date('2026-01-01T18:04:05.123Z'),
    command: null,
    ok: true,
    part: 1.5,
  })
  assert.equal(decodeGo(TYPE, '{"command":null,"at":null}').at.toISOString(), '0001-01-01T00:00:00.000Z')
})

test('what Go refuses', () => {
  for (const text of [
    '{"pid":1.0}',
    '{"pid":1e3}',
    '{"pid":"1"}',
    '{"pid":9007199254740993}',
    '{"at":""}',
    '{"at":"2026-01-02 03:04:05Z"}',
    '{"at":"2026-01-02T03:04:05"}',
    '{"at":1700000000}',
    '{"command":{}}',
    '{"command":[1]}',
    '{"name":1}',
    '{"ok":"true"}',
    '[]',
    '{} {}',
  ]) {
    assert.throws(() => decodeGo(TYPE, text), Error, text)
  }
})

test('what Go leaves out and escapes', () => {
  const fields = {
    image: 'a',
    command: ['echo', '<&>'],
    env: [],
    tty: false,
    name: '',
    port: undefined,
    network: 'raind0',
  }
  assert.equal(encodeGo(fields), '{"image":"a","command":["echo","\\u003c\\u0026\\u003e"],"network":"raind0"}')
})
