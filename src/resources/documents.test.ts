import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from './documents.ts'

/** The values; what is unreadable throws. */
async function values(text: string): Promise<unknown[]> {
  return (await readDocuments(text)).map((document) => {
    if ('value' in document) return document.value
    throw new Error(`${document.place}: ${document.unreadable}`)
  })
}

test('documents come one by one, empty ones do not count, and a List is taken apart', async () => {
  const text =
    'kind: Pod\n---\n# nothing\n---\nkind: List\nitems: [{kind: Service}, {kind: PodList, items: [{kind: Pod}]}]\n'
  assert.deepEqual(await readDocuments(text), [
    { value: { kind: 'Pod' }, document: 1, place: 'document 1' },
    { value: { kind: 'Service' }, document: 3, place: 'document 3, item 1' },
    { value: { kind: 'Pod' }, document: 3, place: 'document 3, item 2, item 1' },
  ])
  assert.deepEqual(await values(''), [])
  assert.deepEqual(await values('{"kind":"Pod"}'), [{ kind: 'Pod' }])
})

test('scalars are what kubectl takes them for', async () => {
  const text = 'a: 0644\nb: yes\nc: off\nd: 22:22\ne: 2001-01-01\nf: 1e3\ng: "0644"\nh: 10Mi\n'
  const [read] = await values(text)
  assert.deepEqual(read, { a: 420, b: true, c: false, d: '22:22', e: '2001-01-01', f: 1000, g: '0644', h: '10Mi' })
})

test('anchors and merge keys hold', async () => {
  assert.deepEqual(await values('a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n'), [{ a: { k: 1, l: 2 }, b: { k: 1, l: 3 } }])
})

test('what cannot be read is refused with its place', async () => {
  await assert.rejects(values('a: 1\n---\nb: [1\n'), /document 2: .*line 4/s)
  await assert.rejects(values('a: 1\na: 2\n'), /document 1: the key "a" is there twice, at line 2, column 1/)
  const bomb = ['a0: &a0 [x]', ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)]
  await assert.rejects(values(bomb.join('\n')), /document 1: Excessive alias count/)
  await assert.rejects(values(`a: ${'x'.repeat(9 * 1024 * 1024)}`), /too large/)
})

test('JSON is read as JSON, and counted as YAML counts', async () => {
  const texts = [
    '{"a":1}',
    '{"a":1}\n---\n[2]\n',
    '{"a":1}\n...\n{"b":[{"a":1},{"a":2}]}\n...\n---\n{"c":"{\\"c\\":1}"}',
    '{"a":1}\n---\n---\n2',
  ]
  for (const text of texts) {
    const read = await readDocuments(text)
    // With a comment it is no JSON.
    const asYaml = await readDocuments(`${text}\n# end`)
    assert.deepEqual(read, asYaml)
  }
  await assert.rejects(values('{"a":1}\n---\n{"b":{"x":1,"\\u0078":2}}'), /document 2: the key "x" is there twice/)
})

test('JSON values need nothing between them', async () => {
  const text = '{"a":1}{"b":"}{"}\n[2] {"c":[{}]}\n...\n{"d":4}\n'
  assert.deepEqual(await values(text), [{ a: 1 }, { b: '}{' }, [2], { c: [{}] }, { d: 4 }])
  await assert.rejects(values('{"a":1}{"b":1,"b":2}'), /document 2: the key "b" is there twice/)
  for (const broken of ['{"a":1}{"b":', '{"a":1}}', '{"a":1} x', '}{']) await assert.rejects(values(broken), broken)
})

test('what is too deep is refused', async () => {
  for (const text of [`${'['.repeat(101)}${']'.repeat(101)}`, `${'- '.repeat(101)}x`, `${'- '.repeat(50_000)}x`]) {
    await assert.rejects(values(text), /document 1: it is nested/)
  }
  await values(`${'- '.repeat(99)}x`)
})
