import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseLogRecord } from './cri-log.ts'

const TIME = '2024-05-01T10:00:00.123456789+02:00'

test('parses what conmon writes', () => {
  assert.deepEqual(parseLogRecord(Buffer.from(`${TIME} stdout F hello  world `)), {
    time: TIME,
    stream: 'stdout',
    partial: false,
    text: Buffer.from('hello  world '),
  })
  assert.equal(parseLogRecord(Buffer.from(`${TIME} stderr P part`))?.partial, true)
  assert.equal(parseLogRecord(Buffer.from(`${TIME} stderr P:other x`))?.partial, true)
  assert.equal(parseLogRecord(Buffer.from(`${TIME} stdout F `))?.text.length, 0)
  assert.equal(parseLogRecord(Buffer.from(`${TIME} stdout F`))?.text.length, 0)
})

test('refuses everything else', () => {
  for (const line of [
    '',
    ' ',
    'x',
    `${TIME}`,
    `${TIME} stdout`,
    `${TIME} stdin F x`,
    `${TIME} stdout X x`,
    ' stdout F x',
  ]) {
    assert.equal(parseLogRecord(Buffer.from(line)), undefined, JSON.stringify(line))
  }
})

test('never throws, and gives back the bytes of any text', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseLogRecord(Buffer.from(bytes))))
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const line = Buffer.concat([Buffer.from(`${TIME} stdout F `), bytes])
      assert.deepEqual(parseLogRecord(line)?.text, Buffer.from(bytes))
    }),
  )
})
