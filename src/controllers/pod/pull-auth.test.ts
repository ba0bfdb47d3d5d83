import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplePod, exampleSecret, lookupOf } from '../../../test/fixtures/pod-example.ts'
import { pullAuth } from './pull-auth.ts'

const auths = (username: string) => ({ 'r.example': { username, password: 'pw' } })
const lookup = lookupOf(
  exampleSecret(
    'new',
    { '.dockerconfigjson': JSON.stringify({ auths: auths('new') }) },
    'kubernetes.io/dockerconfigjson',
  ),
  exampleSecret('old', { '.dockercfg': JSON.stringify(auths('old')) }, 'kubernetes.io/dockercfg'),
  exampleSecret('opaque', { '.dockerconfigjson': JSON.stringify({ auths: auths('opaque') }) }),
  exampleSecret('broken', { '.dockerconfigjson': '{' }, 'kubernetes.io/dockerconfigjson'),
  exampleSecret('empty', {}, 'kubernetes.io/dockercfg'),
)
const authOf = (names: readonly string[], image = 'r.example/app') =>
  pullAuth(examplePod({ imagePullSecrets: names.map((name) => ({ name })) }), image, lookup)

test('pullAuth() takes credentials from secrets of both types, the first that fits', () => {
  assert.deepEqual(authOf(['new']), { username: 'new', password: 'pw' })
  assert.deepEqual(authOf(['old']), { username: 'old', password: 'pw' })
  assert.deepEqual(authOf(['old', 'new'])?.username, 'old')
  assert.deepEqual(authOf(['absent', 'opaque', 'broken', 'empty', 'new'])?.username, 'new')
})

test('pullAuth() is undefined where nothing fits', () => {
  assert.equal(pullAuth(examplePod(), 'r.example/app', lookup), undefined)
  for (const name of ['absent', 'opaque', 'broken', 'empty']) assert.equal(authOf([name]), undefined, name)
  assert.equal(authOf(['new'], 'other.example/app'), undefined)
})
