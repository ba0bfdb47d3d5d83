import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import { parseRawEnvFile } from './env-file.ts'
import { parseEnvFile } from './index.ts'

const read = (text: string, variables: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(parseEnvFile(text, '.env', (name) => variables[name]))

/** Compose's own cases (compose-go, dotenv/godotenv_test.go), and some more: a line and its only value. */
const LINES: readonly (readonly [string, string])[] = [
  ['FOO=bar', 'bar'],
  ['FOO =bar', 'bar'],
  ['FOO= bar ', 'bar'],
  ['FOO="bar"', 'bar'],
  ["FOO='bar'", 'bar'],
  ['FOO="escaped\\"bar"', 'escaped"bar'],
  ['FOO="\\"quoted\\""', '"quoted"'],
  [`FOO="'d'"`, "'d'"],
  ["FOO='Let\\'s go!'", "Let's go!"],
  ['FOO: 1', '1'],
  ['FOO: Foo=bar', 'Foo=bar'],
  ['FOO=1:B', '1:B'],
  ['export FOO=2', '2'],
  ["  export\tFOO='\\n'", '\\n'],
  ['FOO="bar\\nbaz"', 'bar\nbaz'],
  ['FOO=a\\tb', 'a\\tb'],
  ['FOO="Z\\aZ\\bZ\\fZ\\nZ\\rZ\\tZ\\vZ\\\\Z\\0123Z"', 'Z\x07Z\bZ\fZ\nZ\rZ\tZ\vZ\\ZSZ'],
  ['FOO=foobar=', 'foobar='],
  ['FOO=bar # this is foo', 'bar'],
  ['FOO=bar #', 'bar'],
  ['FOO= # nothing', ''],
  ['FOO=123#not-an-inline-comment', '123#not-an-inline-comment'],
  ['FOO="bar#baz" # comment', 'bar#baz'],
  ['FOO="bar#baz"#', 'bar#baz'],
  ['FOO="bar\\n\\ b\\az"', 'bar\n\\ b\x07z'],
  ['FOO="\\x07\\u12e4"', '\\x07\\u12e4'],
  ['FOO="first\nsecond"', 'first\nsecond'],
  ['FOO=\r\n', ''],
  ['\uFEFFFOO=bom\r\n', 'bom'],
  ['FOO="foo\\$BAR"', 'foo$BAR'],
  ['FOO="foo\\${BAR}"', 'foo${BAR}'],
  ["FOO='$BAR'", '$BAR'],
  ['FOO=$BAR', ''],
  ['FOO=${BAR:-x}', 'x'],
]

test('lines are what docker compose makes of them', () => {
  for (const [line, value] of LINES) assert.deepEqual(read(line), { FOO: value }, line)
  assert.deepEqual(read('FOO.BAR=1\nexport_FOO =2\nexport.FOO= 3\n'), {
    'FOO.BAR': '1',
    export_FOO: '2',
    'export.FOO': '3',
  })
})

test('comments, blank lines and names that begin with a digit do not count', () => {
  assert.deepEqual(read('# one\n\n\t # two\nA=1\n\r\n2B=x\n#'), { A: '1' })
})

test('values name those before them, and the variables that are given win', () => {
  assert.deepEqual(read('A=1\nB=$A\nC="${B}2"\n'), { A: '1', B: '1', C: '12' })
  assert.deepEqual(read('A=1\nB=$A\n', { A: '9' }), { A: '1', B: '9' })
})

test('a name without a value has the one that is given, if any', () => {
  assert.deepEqual(read('A\nexport B\nC', { A: 'a', C: 'c' }), { A: 'a', C: 'c' })
})

test('what cannot be read is told with its line', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['A=1\nlol$wut', /^StatusError: \.env, line 2: "lol\$wut" is not NAME=value$/],
    ['A=1\n\nB="x\ny', /line 3: the quote " is not closed/],
    ["A='x\\'", /line 1: the quote ' is not closed/],
    ['A="x" y', /line 1: there is something behind the quote/],
    ['KEY WITH=x', /line 1: .* is not NAME=value/],
    ['A=1\nB=${', /line 2: the value has "\$\{", which is no variable/],
    ['A=${B:?give me}', /needs the variable B, which is not set, or empty: give me/],
    ['A=\0', /NUL/],
  ]
  for (const [text, message] of cases) assert.throws(() => read(text), message, text)
})

test('files that double what was before are refused', () => {
  const lines = Array.from({ length: 60 }, (_, index) => `A${index + 1}=$A${index}$A${index}`)
  assert.throws(() => read(`A0=x\n${lines.join('\n')}`), /too large with its variables/)
  assert.throws(() => read(`A=${'x'.repeat(1024 * 1024)}`), /too large/)
  const many = Array.from({ length: 10_000 }, (_, index) => `B${index}=$A`)
  assert.throws(() => read(`A=${'x'.repeat(900_000)}\n${many.join('\n')}`), /too large/)
})

test('any text is read or refused', () => {
  const unit = fc.constantFrom('A', '=', '"', "'", '\\', '\n', ' ', '#', '$', '{', '}', 'export ', ':')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
      try {
        read(text)
      } catch (error) {
        assert.ok(error instanceof StatusError)
      }
    }),
  )
})

test('values in double quotes are what they were', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      if (value.includes('\0')) return
      assert.deepEqual(read(`A="${value.replaceAll(/[\\"$]/g, '\\$&')}"`), { A: value })
    }),
  )
})

test('of format raw nothing is looked at', () => {
  const raw = parseRawEnvFile('# no\nA="$B" # x\n\nC\nD\nE=a=b\r\n', 'x.env', (name) =>
    name === 'C' ? 'c' : undefined,
  )
  assert.deepEqual(Object.fromEntries(raw), { A: '"$B" # x', C: 'c', E: 'a=b' })
  assert.throws(() => parseRawEnvFile('A=1\n=2', 'x.env', () => undefined), /x\.env, line 2: "=2" is not NAME=value/)
})
