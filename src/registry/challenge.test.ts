import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseChallenges } from './challenge.ts'

function parsed(header: string) {
  return parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...parameters }))
}

test('registries as they are', () => {
  assert.deepEqual(
    parsed(
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull,push"',
    ),
    [
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/x:pull,push',
      },
    ],
  )
  assert.deepEqual(parsed('Basic realm="basic-realm"'), [{ scheme: 'basic', realm: 'basic-realm' }])
})

test('several challenges, token68, quoted pairs, bare tokens and odd spaces', () => {
  assert.deepEqual(parsed('Negotiate, Basic realm="a, b=\\"c\\"" , charset=UTF-8,Bearer Realm = "x",error=y'), [
    { scheme: 'negotiate' },
    { scheme: 'basic', realm: 'a, b="c"', charset: 'UTF-8' },
    { scheme: 'bearer', realm: 'x', error: 'y' },
  ])
  assert.deepEqual(parsed('NTLM TlRMTVNTUAAB==, basic'), [{ scheme: 'ntlm' }, { scheme: 'basic' }])
})

test('what is malformed ends the reading, and the first of two values counts', () => {
  assert.deepEqual(parsed('Bearer realm="a",realm="b",service="never ends'), [{ scheme: 'bearer', realm: 'a' }])
  assert.deepEqual(parsed('realm="x"'), [])
  assert.deepEqual(parsed('Bearer __proto__="x"')[0]?.scheme, 'bearer')
})

test('any text is read to an end', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'B', '"', '\\', '=', ',', ' ', '/', '\t'), maxLength: 60 }),
      (text) => {
        parseChallenges(text)
      },
    ),
  )
})
