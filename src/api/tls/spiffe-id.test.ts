import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spiffeIdOf } from './spiffe-id.ts'

test('spiffeIdOf() takes the first URI, and none from within another name', () => {
  const cases: readonly [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['DNS:localhost, IP Address:127.0.0.1', undefined],
    ['URI:spiffe://raind/cli/admin', 'spiffe://raind/cli/admin'],
    ['DNS:x, URI:spiffe://a/b, URI:spiffe://raind/cli/admin', 'spiffe://a/b'],
    ['DNS:"x, URI:spiffe://raind/cli/admin", URI:spiffe://a/b', 'spiffe://a/b'],
    [String.raw`URI:"spiffe://a, \"b"`, 'spiffe://a, "b'],
  ]
  for (const [subjectAltName, expected] of cases) assert.equal(spiffeIdOf({ subjectAltName }), expected)
})
