import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseQuantity, quantityOf } from './quantity.ts'

test('parseQuantity() takes all of the suffixes', () => {
  const cases: readonly [string | number, number][] = [
    ['0', 0],
    ['1', 1],
    [1, 1],
    [0.5, 0.5],
    [1e21, NaN],
    ['100m', 0.1],
    ['1500m', 1.5],
    ['1.5', 1.5],
    ['+1.5', 1.5],
    ['-1', -1],
    ['.5', 0.5],
    ['5.', 5],
    ['100n', 1e-7],
    ['100u', 1e-4],
    ['2k', 2000],
    ['2M', 2e6],
    ['2G', 2e9],
    ['2T', 2e12],
    ['2P', 2e15],
    ['2E', 2e18],
    ['1Ki', 1024],
    ['64Mi', 64 * 2 ** 20],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1Ti', 2 ** 40],
    ['1Pi', 2 ** 50],
    ['1Ei', 2 ** 60],
    ['1e3', 1000],
    ['1E3', 1000],
    ['1e-3', 0.001],
    ['1.5e+2', 150],
  ]
  for (const [text, value] of cases) assert.equal(quantityOf(text) ?? NaN, value, String(text))
})

test('parseQuantity() refuses the rest', () => {
  for (const text of [
    '',
    'm',
    '1 Mi',
    '1mi',
    '1Kb',
    '1KI',
    '64MB',
    '1e',
    '1.2.3',
    '.',
    '0x10',
    'NaN',
    '1e999',
    '10Ei',
  ]) {
    assert.throws(() => parseQuantity(text), { code: 'invalid_argument', message: /Invalid quantity/ }, text)
  }
})

test('parseQuantity() of thousandths is the number nearest to it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000 }), (thousandths) => {
      assert.equal(parseQuantity(`${thousandths}m`), thousandths / 1000)
    }),
  )
})
