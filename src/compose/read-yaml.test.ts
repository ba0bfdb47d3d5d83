import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTrees } from './read-yaml.ts'
import { placeAt, plainOf } from './tree.ts'

const read = (text: string) => readTrees(text, 'a.yaml').map(plainOf)

test('scalars are what docker compose takes them for', () => {
  const text =
    'a: 0644\nb: yes\nc: off\nd: 22:22\ne: 2001-01-01\nf: 1e3\ng: 0o17\nh: 10Mi\ni: 1_000\nj: true\nk: ~\nl: 0x1f\nm: 1.10\nn: .inf\no: 12345678901234567890\np: -017\nq: 08\n'
  assert.deepEqual(read(text), [
    {
      ...{ a: 420, b: 'yes', c: 'off', d: '22:22', e: '2001-01-01', f: 1000, g: 15, h: '10Mi', i: 1000, j: true },
      ...{ k: null, l: 31, m: 1.1, n: '.inf', o: '12345678901234567890', p: -15, q: 8 },
    },
  ])
})

test('keys are texts, whatever they look like', () => {
  assert.deepEqual(read('8080: a\ntrue: b\n1.10: c\n"": d\n'), [{ '8080': 'a', true: 'b', '1.10': 'c', '': 'd' }])
  assert.throws(() => read('? [a]\n: b\n'), /a\.yaml, line 1: a key must be a text/)
  assert.throws(() => read('~: b\n'), /a key must be a text/)
})

test('anchors and merge keys hold', () => {
  const text = `x-a: &a {k: 1, l: 2}
x-b: &b {l: 5, m: 6}
one: {<<: *a, l: 3}
two: {l: 3, <<: [*a, *b]}
three:
  <<: *a
  <<: *b
four: *a
`
  const [tree] = readTrees(text, 'a.yaml')
  assert.deepEqual(plainOf(tree!), {
    'x-a': { k: 1, l: 2 },
    'x-b': { l: 5, m: 6 },
    one: { l: 3, k: 1 },
    two: { l: 3, k: 1, m: 6 },
    three: { k: 1, l: 2, m: 6 },
    four: { k: 1, l: 2 },
  })
  assert.equal(placeAt(tree!, ['four']).line, 8)
  assert.equal(placeAt(tree!, ['one', 'k']).line, 1)
  assert.equal(placeAt(tree!, ['three', 'nothing']).line, 5)
})

test('documents come one by one, and empty ones do not count', () => {
  assert.deepEqual(read('a: 1\n---\n# no\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }])
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('{"a": {"__proto__": 1}}'), [JSON.parse('{"a": {"__proto__": 1}}')])
})

test('the tags of Compose are kept, others are refused', () => {
  const [tree] = readTrees('a: !reset [1]\nb: !override {c: 1}\nd: !override 07\ne: !!str 5\n', 'a.yaml')
  assert.deepEqual(plainOf(tree!), { b: { c: 1 }, d: 7, e: '5' })
  const tags = [...(tree!.value as ReadonlyMap<string, { tag?: string }>).values()].map(({ tag }) => tag)
  assert.deepEqual(tags, ['reset', 'override', 'override', undefined])
  assert.throws(() => read('a: 1\nb: !vault x\n'), /a\.yaml, line 2: the tag "!vault" is unknown/)
  assert.throws(() => read('a: !!binary aGk=\n'), /the tag .*binary" is unknown/)
})

test('what cannot be read is told with its line', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a: 1\nb: [1\n', /a\.yaml, line 3: /],
    ['a: 1\na: 2\n', /a\.yaml, line 2: the key "a" is there twice/],
    ['{"a": 1, "a": 2}', /a\.yaml: the key "a" is there twice/],
    ['- a\n', /a\.yaml, line 1: must be an object/],
    ['[1]', /a\.yaml: must be an object/],
    ['a: *b\n', /line 1: there is no anchor "b"/],
    ['a: &a [*a]\n', /line 1: the alias "a" is part of itself/],
    ['a: {<<: 5}\n', /line 1: what << names must be an object/],
    ['a: "x\\0y"\n', /line 1: a text must not contain a NUL/],
    ['a: 1\n"\\0": x\n', /line 2: a text must not contain a NUL/],
    ['{"a\\u0000": 1}', /NUL/],
  ]
  for (const [text, message] of cases) assert.throws(() => read(text), message, text)
})

test('what grows without bounds is refused soon', () => {
  const chain = (first: string, next: (index: number) => string, count: number) =>
    [`a0: &a0 ${first}`, ...Array.from({ length: count }, (_, i) => `a${i + 1}: &a${i + 1} ${next(i)}`)].join('\n')
  const cases: readonly (readonly [string, RegExp])[] = [
    [chain('[x]', (i) => `[*a${i}, *a${i}]`, 40), /too large with its aliases in full/],
    [`a: &a ${'x'.repeat(100_000)}\nb: [${'*a,'.repeat(100)}]`, /too large with its aliases in full/],
    [chain('[x]', (i) => `[*a${i}]`, 20_000), /nested more than 64 levels deep/],
    [chain('{k: 1}', (i) => `{<<: *a${i}, k${i}: 1}`, 20_000), /<< brings more than 100000 entries/],
    [`a: ${'['.repeat(100_000)}`, /nested too deep|is nested more/],
    [`{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /is nested more than 64 levels deep/],
    [`a: ${'x'.repeat(1024 * 1024)}`, /too large: at most 1 MiB/],
  ]
  for (const [text, message] of cases) assert.throws(() => read(text), message, text.slice(0, 40))
})

test('a large file that is a file is read', () => {
  const text = Array.from({ length: 40_000 }, (_, index) => `key${index}: [a, "b"]`).join('\n')
  assert.equal(Object.keys(read(text)[0] as object).length, 40_000)
})
