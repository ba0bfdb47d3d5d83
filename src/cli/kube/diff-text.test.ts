import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleConfigMap, sampleReplicaSet, sampleSecret } from '../../../test/support/kube-samples.ts'
import type { WireObject, WireObjectDiff } from '../../api/raind/index.ts'
import { diffText } from './diff-text.ts'

const diffOf = (before: WireObject | null, after: WireObject): Promise<string> => {
  const { name, namespace = '' } = after.metadata
  return diffText({ kind: after.kind, name, namespace, before, after } satisfies WireObjectDiff)
}

test('what changes is shown in YAML, under the name of the object', async () => {
  const text = await diffOf(sampleReplicaSet({ replicas: 3 }), sampleReplicaSet({ replicas: 5 }))
  assert.match(
    text,
    /^diff -u -N LIVE\/apps\.v1\.ReplicaSet\.default\.web MERGED\/apps\.v1\.ReplicaSet\.default\.web\n--- LIVE\/.*\n\+\+\+ MERGED\/.*\n@@ /,
  )
  assert.match(text, /^- {2}replicas: 3\n\+ {2}replicas: 5$/m)
})

test('what the server sets is no difference', async () => {
  const before = sampleConfigMap({ data: { a: '1' } })
  const metadata = {
    ...before.metadata,
    resourceVersion: '9',
    uid: 'x',
    generation: 2,
    managedFields: [{ manager: 'm' }],
  }
  const after = { ...before, metadata, status: { x: 1 } } as unknown as WireObject
  assert.equal(await diffOf(before, after), '')
})

test('an object that is not there is new as a whole', async () => {
  const text = await diffOf(null, sampleConfigMap({ data: { a: '1' } }))
  assert.match(text, /^@@ -0,0 \+1,\d+ @@$/m)
  assert.match(text, /^\+kind: ConfigMap$/m)
  assert.doesNotMatch(text, /uid|resourceVersion|creationTimestamp/)
})

test('of a secret it is told which values change, and none of them', async () => {
  const text = await diffOf(
    sampleSecret({ same: 'eA==', other: 'b2xk', gone: 'eA==' }),
    sampleSecret({ same: 'eA==', other: 'bmV3', more: 'eQ==' }),
  )
  assert.match(text, /^- {2}other: "\*\*\* \(before\)"$/m)
  assert.match(text, /^\+ {2}other: "\*\*\* \(after\)"$/m)
  assert.match(text, /^\+ {2}more: /m)
  assert.match(text, /^- {2}gone: /m)
  assert.match(text, /^ {3}same: /m)
  assert.doesNotMatch(text, /eA==|b2xk|bmV3|eQ==/)
})
