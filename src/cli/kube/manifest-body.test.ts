import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAllDocuments } from 'yaml'
import { inFiles, manifestBody } from './manifest-body.ts'

const DOCUMENTS = ['kind: A', '{"kind":\n\t"A"}', 'text: |\n  one\n   two', '%YAML 1.1\n---\nkind: A', '---\nkind: A']

test('every document of every file is one of the body', () => {
  const document = fc.constantFrom(...DOCUMENTS)
  const file = fc
    .tuple(fc.constantFrom('', '\n', '# a comment\n'), fc.array(document, { minLength: 1, maxLength: 3 }))
    .chain(([head, documents]) =>
      fc.constantFrom('', '\n', '\n---\n', '\n...\n', '\n# end').map((end) => ({
        documents,
        text: `${head}${documents.join('\n...\n')}${end}`,
      })),
    )
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 4 }), (files) => {
      const body = manifestBody(files.map(({ text }, index) => ({ name: String(index), text })))
      const parsed = parseAllDocuments(body, { version: '1.1' })
      assert.ok(Array.isArray(parsed))
      assert.deepEqual(
        parsed.flatMap(({ errors }) => errors),
        [],
      )
      const values = parsed.map((one) => one.toJS()).filter((value) => value !== null)
      const wanted = files.flatMap(({ documents }) => documents.map((text) => parseAllDocuments(text)[0]?.toJS()))
      assert.deepEqual(values, wanted)
    }),
  )
})

const FILES = [
  { name: 'a.yaml', text: '# all of it\n---\nkind: A\n---\nkind: B\n' },
  { name: 'b.json', text: '{"kind":"C"}' },
  { name: 'c.yaml', text: '---\nkind: D\n---\nkind: E' },
]

test('a document is told by its file', async () => {
  const told = (number: number) => inFiles(`The manifest cannot be read: document ${number}: kind is required`, FILES)
  const documents = parseAllDocuments(manifestBody(FILES)) as { toJS(): { kind: string } | null }[]
  const numberOf = (kind: string) => documents.findIndex((one) => one.toJS()?.kind === kind) + 1
  assert.match(await told(numberOf('C')), /^The manifest cannot be read: b\.json, document 1: kind is required$/)
  assert.match(await told(numberOf('D')), /: c\.yaml, document 1: /)
  assert.match(await told(numberOf('E')), /: c\.yaml, document 2: /)
  assert.match(await told(numberOf('B')), /: a\.yaml, document 2: /)
  assert.equal(await told(99), 'The manifest cannot be read: document 99: kind is required')
  assert.equal(await inFiles('Cannot apply Pod "web"', FILES), 'Cannot apply Pod "web"')
})

test('a fault of YAML is told with its line in the file, and every one by its file', async () => {
  const files = [...FILES, { name: 'd.yaml', text: 'kind: F\nspec: [1\n' }]
  const body = manifestBody(files)
  const count = parseAllDocuments(body).length
  const line = body.split('\n').indexOf('spec: [1') + 1
  const told = await inFiles(`cannot be read: document ${count}: flow at line ${line}, column 1; document 1: B`, files)
  assert.equal(told, 'cannot be read: d.yaml, document 1: flow at line 2, column 1; a.yaml, document 1: B')
})
