import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as der from './der.ts'

const hex = (bytes: Buffer) => bytes.toString('hex')

test('DER, by examples', () => {
  assert.equal(hex(der.integer(Buffer.of(0))), '020100')
  assert.equal(hex(der.integer(Buffer.of(0, 0, 0x7f))), '02017f')
  assert.equal(hex(der.integer(Buffer.of(0x80))), '02020080', 'no number of ours is negative')
  assert.equal(hex(der.objectId('1.2.840.113549.1.1.11')), '06092a864886f70d01010b')
  assert.equal(hex(der.bitString(Buffer.of(0b1010_0000), 5)), '030205a0')
  assert.equal(hex(der.boolean(true)), '0101ff')
  assert.equal(hex(der.context(3, true, der.nothing)), 'a3020500')
  assert.equal(hex(der.set(der.printableString('a'))), '3103130161')
})

test('DER lengths take more bytes from 128 on', () => {
  const head = (length: number) => hex(der.octetString(Buffer.alloc(length)).subarray(0, -length || undefined))
  assert.deepEqual([0, 127, 128, 255, 256, 65_536].map(head), [
    '0400',
    '047f',
    '048180',
    '0481ff',
    '04820100',
    '0483010000',
  ])
})

test('DER times have two digits of the year before 2050, and four from then on', () => {
  const text = (ms: number) => der.time(ms).toString('latin1', 2)
  assert.deepEqual(
    [text(Date.UTC(2026, 1, 3, 4, 5, 6, 789)), text(Date.UTC(2050))],
    ['260203040506Z', '20500101000000Z'],
  )
  assert.deepEqual([der.time(0)[0], der.time(Date.UTC(2050))[0]], [0x17, 0x18])
})
