import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../lib/errors.ts'
import { interpolate } from './interpolate.ts'

const VALUES = new Map([
  ['FOO', 'first'],
  ['BAR', ''],
])
const look = (name: string) => VALUES.get(name)

/** Compose's own cases (compose-go, template_test.go), and some more. */
const CASES: readonly (readonly [string, string])[] = [
  ['foo', 'foo'],
  ['$${foo}', '${foo}'],
  ['$$$FOO', '$first'],
  ['a } b', 'a } b'],
  ['$FOO-bar', 'first-bar'],
  ['This ${missing} var', 'This  var'],
  ['This $BAR var', 'This  var'],
  ['This ${FOO} var', 'This first var'],
  ['${missing:-def} ${missing-def}', 'def def'],
  ['${BAR:-def} ${BAR-def}|', 'def |'],
  ['${FOO:-def}', 'first'],
  ['${BAR:-/non:-alphanumeric}', '/non:-alphanumeric'],
  ['${UNSET-$FOO} ${UNSET-${FOO} ${FOO}} ${BAR:-${UNSET:-${FOO}}}', 'first first first first'],
  ['${FOO:?err} ${FOO?err} ${BAR?err}|', 'first first |'],
  ['${UNSET-myerror?msg}', 'myerror?msg'],
  ['${FOO:+yes}${FOO+yes}${BAR:+no}${BAR+yes}${UNSET:+no}${UNSET+no}', 'yesyesyes'],
  ['${FOO:-${UNSET:?never looked at}}', 'first'],
  ['${UNSET:-{"a":1}', '{"a":1'],
]

test('variables are what docker compose makes of them', () => {
  for (const [text, wanted] of CASES) assert.equal(interpolate(text, look), wanted, text)
})

test('what is no variable is refused, with what to write', () => {
  for (const text of [
    '${',
    '$}',
    '${}',
    '${ }',
    '${ foo}',
    '${foo }',
    '${foo!}',
    '$',
    '$5',
    'a $(date)',
    '${A:-${B}',
  ]) {
    assert.throws(() => interpolate(text, look), /which is no variable; write \$\$ for a \$/, text)
  }
  assert.throws(() => interpolate('x $(date)', look), /^StatusError: has "\$\(date\)", which/)
})

test('a variable that is needed tells why', () => {
  const cases = [
    ['${UNSET:?Mandatory ${FOO}}', 'needs the variable UNSET, which is not set, or empty: Mandatory first'],
    ['${BAR:?}', 'needs the variable BAR, which is not set, or empty'],
    ['${UNSET?bar-baz}', 'needs the variable UNSET, which is not set: bar-baz'],
  ]
  for (const [text, message] of cases)
    assert.throws(() => interpolate(text!, look), { message, code: 'invalid_argument' })
})

test('of what is used and has neither value nor default it is told', () => {
  const unset: string[] = []
  interpolate('$A ${B} ${C:-$D} ${FOO:-$E} ${BAR:+$F} ${G:-g}', look, (name) => unset.push(name))
  assert.deepEqual(unset, ['A', 'B', 'D'])
})

test('escaped text is what it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', ' ') }), (text) => {
      assert.equal(interpolate(text.replaceAll('$', '$$$$'), look), text)
    }),
  )
})

test('any text is interpolated or refused, in bounded space', () => {
  const unit = fc.constantFrom('$', '${', '}', 'FOO', ':-', ':?', '+', ' ', '$$')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      try {
        assert.equal(typeof interpolate(text, look), 'string')
      } catch (error) {
        assert.ok(error instanceof StatusError)
      }
    }),
  )
  assert.throws(() => interpolate('${A:-'.repeat(100_000), look), /more than 32 levels/)
  const large = 'x'.repeat(1024 * 1024)
  assert.throws(() => interpolate('$A'.repeat(100), () => large), /too large with its variables/)
  assert.equal(interpolate(`${'$$'.repeat(300_000)}`, look).length, 300_000)
})
