import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CliError } from '../errors.ts'
import { parseKind, parseTargets, qualifiedName } from './kinds.ts'

const refused = (args: readonly string[], message: RegExp) =>
  assert.throws(
    () => parseTargets(args),
    (error) => error instanceof CliError && error.exitCode === 125 && message.test(error.message),
  )

test('a kind has a name, a plural, a short name, a group, and no case', () => {
  for (const text of ['po', 'pod', 'pods', 'Pod', 'PODS']) assert.equal(parseKind(text), 'Pod')
  for (const text of ['rs', 'replicaset', 'replicasets', 'replicasets.apps'])
    assert.equal(parseKind(text), 'ReplicaSet')
  assert.equal(parseKind('secrets'), 'Secret')
  assert.equal(parseKind('ns'), 'Namespace')
  refused(['podz'], /^Unknown kind "podz"; did you mean "pod"\?$/)
  refused(['pods.apps'], /^Unknown kind "pods.apps"/)
})

test('qualifiedName() has the group, as kubectl prints it', () => {
  assert.equal(qualifiedName('Pod'), 'pod')
  assert.equal(qualifiedName('ReplicaSet'), 'replicaset.apps')
})

test('parseTargets() takes kinds, kinds and names, and references', () => {
  assert.deepEqual(parseTargets(['po']), [{ kind: 'Pod', names: [] }])
  assert.deepEqual(parseTargets(['svc', 'a', 'b', 'a']), [{ kind: 'Service', names: ['a', 'b'] }])
  assert.deepEqual(parseTargets(['po,cm', 'a']), [
    { kind: 'Pod', names: ['a'] },
    { kind: 'ConfigMap', names: ['a'] },
  ])
  assert.deepEqual(
    parseTargets(['all,pod']).map(({ kind }) => kind),
    ['Pod', 'Service', 'ReplicaSet'],
  )
  assert.deepEqual(parseTargets(['pod/a', 'rs/x', 'po/b']), [
    { kind: 'Pod', names: ['a', 'b'] },
    { kind: 'ReplicaSet', names: ['x'] },
  ])
})

test('references and names do not mix', () => {
  refused(['pod/a', 'b'], /"b" does not name an object/)
  refused(['pod', 'rs/a', 'pod/'], /"pod" does not name an object/)
  refused(['pod/'], /does not name/)
  refused(['pod/a/b'], /does not name/)
})
