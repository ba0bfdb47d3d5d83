import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sample, sampleSchema } from '../../../../test/support/merge-samples.ts'
import { mergedOrder, mergeValues } from './merge-values.ts'

const order = (live: string, applied: string) => {
  const elements = (letters: string) => new Map([...letters].map((letter) => [letter, undefined]))
  return [...mergedOrder(elements(live), elements(applied))].join('')
}

test('the order of a merged list', () => {
  for (const [live, applied, expected] of [
    ['', 'ab', 'ab'],
    ['ab', '', 'ab'],
    ['abc', 'de', 'abcde'],
    ['abc', 'abd', 'abcd'],
    // The applied order wins.
    ['ab', 'ba', 'ba'],
    ['abc', 'bad', 'bcad'],
    // What only the live list has stays behind what it followed, ahead of what is new.
    ['axb', 'nab', 'naxb'],
    ['axb', 'anb', 'axnb'],
    ['xa', 'na', 'xna'],
    ['axby', 'ba', 'xbya'],
    ['abcde', 'edba', 'cedba'],
    ['abcde', 'adbe', 'acdbe'],
    ['abc', 'axyzb', 'axyzbc'],
  ] as const) {
    assert.equal(order(live, applied), expected, `${applied} into ${live}`)
  }
})

test('a merged list has all entries once, those of the applied in its order, the others in theirs', () => {
  const letters = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 }).map((list) => list.join(''))
  fc.assert(
    fc.property(letters, letters, (live, applied) => {
      const merged = [...order(live, applied)]
      assert.equal(merged.filter((letter) => applied.includes(letter)).join(''), applied)
      const others = [...live].filter((letter) => !applied.includes(letter))
      assert.deepEqual(
        merged.filter((letter) => !applied.includes(letter)),
        others,
      )
    }),
  )
})

test('null takes a field away; of a map and a merged list it takes nothing', () => {
  const live = sample(
    { replicas: 1, selector: { a: 'b' }, emptyDir: { medium: 'Memory' }, containers: [{ name: 'a' }] },
    { labels: { a: 'b' }, finalizers: ['f'] },
  )
  const applied = sample(
    { replicas: null, selector: null, emptyDir: null, containers: null },
    { labels: null, finalizers: null },
  )
  const merged = sample({ containers: [{ name: 'a' }] }, { labels: { a: 'b' }, finalizers: ['f'] })
  assert.deepEqual(mergeValues(sampleSchema, live, applied), merged)
  assert.deepEqual(mergeValues(sampleSchema, undefined, applied), sample({}))
})

test('a label may have any name', () => {
  const applied = JSON.parse('{"metadata":{"labels":{"__proto__":"x","constructor":"y"}}}')
  const merged = mergeValues(sampleSchema, { metadata: { labels: { toString: 'z' } } }, applied)
  assert.equal(JSON.stringify(merged), '{"metadata":{"labels":{"toString":"z","__proto__":"x","constructor":"y"}}}')
})

test('lists of thousands of entries', () => {
  const containers = (count: number, image: string) =>
    Array.from({ length: count }, (_, index) => ({ name: `c${index}`, image }))
  const merged = mergeValues(
    sampleSchema,
    sample({ containers: containers(20_000, 'a') }),
    sample({ containers: containers(10_000, 'b').reverse() }),
  ) as { spec: { containers: { image: string }[] } }
  assert.equal(merged.spec.containers.length, 20_000)
  assert.equal(merged.spec.containers.filter(({ image }) => image === 'b').length, 10_000)
})
