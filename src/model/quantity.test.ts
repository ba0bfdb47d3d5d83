import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseCapability } from './capability.ts'
import { milliCpus, parseBytes } from './quantity.ts'

test('parseBytes() takes units of 1024', () => {
  const cases: readonly [string, number][] = [
    ['0', 0],
    ['512', 512],
    ['512b', 512],
    ['1k', 1024],
    ['64m', 64 * 2 ** 20],
    ['64M', 64 * 2 ** 20],
    ['64mb', 64 * 2 ** 20],
    ['64 MiB', 64 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['2t', 2 * 2 ** 40],
  ]
  for (const [text, bytes] of cases) assert.equal(parseBytes('memory limit', text), bytes, text)
})

test('parseBytes() refuses the rest', () => {
  for (const text of ['', 'm', '-1', '1.', '.5', '1e3', '64x', '64 m m', '9999999999999999', '9999999t', 'NaN']) {
    assert.throws(
      () => parseBytes('memory limit', text),
      { code: 'invalid_argument', message: /Invalid memory limit/ },
      text,
    )
  }
})

test('parseBytes() gives safe integers or nothing', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9.]{1,18}[bkmgtx]?$/), (text) => {
      try {
        assert(Number.isSafeInteger(parseBytes('size', text)))
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'invalid_argument')
      }
    }),
  )
})

test('milliCpus() takes 0.01 to 10000', () => {
  assert.equal(milliCpus(1.5), 1500)
  assert.equal(milliCpus(0.01), 10)
  for (const cpus of [0.001, -1, 10_001, Number.NaN, Infinity]) {
    assert.throws(() => milliCpus(cpus), { code: 'invalid_argument' }, String(cpus))
  }
})

test('parseCapability() takes names with and without CAP_', () => {
  assert.equal(parseCapability('net_admin'), 'CAP_NET_ADMIN')
  assert.equal(parseCapability('CAP_SYS_PTRACE'), 'CAP_SYS_PTRACE')
  assert.equal(parseCapability('all'), 'ALL')
  assert.throws(() => parseCapability('CAP_FLY'), { code: 'invalid_argument', message: /Unknown capability "CAP_FLY"/ })
})
