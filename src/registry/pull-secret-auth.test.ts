import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pullSecretAuth } from './pull-secret-auth.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const config = (auths: object) => JSON.stringify({ auths })
const user = (name: string) => ({ auth: base64(`${name}:pw`) })
const userOf = (reference: string, ...configs: string[]) => pullSecretAuth(reference, configs)?.username

test('keys are registries, also as URLs, with parts that may be anything', () => {
  const auths = {
    'https://index.docker.io/v1/': user('hub'),
    'ghcr.io': user('ghcr'),
    'https://registry.example:5000/v2/': user('ported'),
    '*.wild.example': user('wild'),
    'reg-*.part.example': user('part'),
    'UPPER.example': user('upper'),
  }
  const cases: readonly [string, string | undefined][] = [
    ['alpine', 'hub'],
    ['someone/app:1', 'hub'],
    ['docker.io/library/alpine', 'hub'],
    ['ghcr.io/a/b', 'ghcr'],
    ['registry.example:5000/a', 'ported'],
    ['registry.example/a', undefined],
    ['registry.example:5001/a', undefined],
    ['a.wild.example/b', 'wild'],
    ['a.b.wild.example/c', undefined],
    ['a.wild.example:5000/b', undefined],
    ['reg-1.part.example/a', 'part'],
    ['other.part.example/a', undefined],
    ['upper.example/a', 'upper'],
  ]
  for (const [reference, expected] of cases) assert.equal(userOf(reference, config(auths)), expected, reference)
})

test('the longest path that fits is taken, of equals the first, and what holds nothing is passed over', () => {
  const first = config({ 'r.example': user('all'), 'r.example/team': user('team'), 'r.example/team/app': {} })
  const second = config({ 'r.example': user('second'), 'r.example/team/app/': user('app') })
  assert.equal(userOf('r.example/x', first, second), 'all')
  assert.equal(userOf('r.example/team/x', first, second), 'team')
  assert.equal(userOf('r.example/team/app:1', first, second), 'app')
  assert.equal(userOf('r.example/team/app', first), 'team')
  assert.equal(userOf('r.example/teams/x', first), 'all')
  assert.equal(userOf('r.example/x', second, first), 'second')
})

test('what is no config holds nothing; a bad reference is told', () => {
  for (const text of ['', '{', '[]', 'null', '{"auths":[1]}', '{"auths":{"r.example":7}}']) {
    assert.equal(userOf('r.example/x', text), undefined, text)
  }
  assert.equal(userOf('r.example/x'), undefined)
  assert.throws(() => userOf('UPPER/x:y:z'), { code: 'invalid_argument' })
})
