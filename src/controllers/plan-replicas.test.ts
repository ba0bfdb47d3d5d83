import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Pod, ReplicaSet } from '../model/kube/stored.ts'
import { planReplicas } from './plan-replicas.ts'

const ROOM = 1000
const NOW = Date.parse('2026-01-01T00:10:00Z')
const ofSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'set-uid', controller: true }
const meta = { namespace: 'default', resourceVersion: 1, generation: 3, annotations: {} }

function replicaSet(replicas: number | undefined, minReadySeconds?: number): ReplicaSet {
  return {
    metadata: { ...meta, name: 'web', uid: 'set-uid', labels: {}, createdAt: 0 },
    spec: {
      ...(replicas !== undefined && { replicas }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web', tier: 'front' } }, spec: { containers: [] } },
    },
    status: { replicas: 0 },
  }
}

interface Sample {
  readonly name: string
  readonly labels?: Record<string, string>
  readonly owned?: boolean | 'other'
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  readonly readySince?: string
  readonly deleted?: boolean
  readonly restartCount?: number
  readonly cost?: number
  readonly createdAt?: number
}

function pod(sample: Sample): Pod {
  const { name, labels = { app: 'web' }, owned = true, phase = 'Running', readySince, deleted, cost } = sample
  const owner = owned === 'other' ? { ...ofSet, uid: 'other' } : ofSet
  return {
    metadata: {
      ...meta,
      name,
      uid: name,
      labels,
      annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': String(cost) },
      createdAt: sample.createdAt ?? 0,
      ...(owned && { ownerReferences: [owner] }),
      ...(deleted && { deletedAt: 1 }),
    },
    spec: { containers: [] },
    status: {
      phase,
      conditions: readySince ? [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }] : [],
      containerStatuses: [{ name: 'c', ready: true, restartCount: sample.restartCount ?? 0, image: '', imageID: '' }],
    },
  }
}

const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name)
const EARLY = '2026-01-01T00:00:00Z'
const LATE = '2026-01-01T00:09:58Z'

test('pods that are gone, on their way out, or at their end are replaced', () => {
  const pods = [
    pod({ name: 'live' }),
    pod({ name: 'deleted', deleted: true }),
    pod({ name: 'done', phase: 'Succeeded' }),
    pod({ name: 'failed', phase: 'Failed' }),
  ]
  const plan = planReplicas(replicaSet(3), pods, ROOM, NOW)
  assert.equal(plan.create, 2)
  assert.deepEqual(plan.surplus, [])
  assert.equal(plan.status.replicas, 3)
})

test('orphans that fit are adopted, own ones that fit no more released, those of others left alone', () => {
  const pods = [
    pod({ name: 'own' }),
    pod({ name: 'orphan', owned: false }),
    pod({ name: 'dead-orphan', owned: false, phase: 'Failed' }),
    pod({ name: 'stranger', owned: false, labels: { app: 'db' } }),
    pod({ name: 'others', owned: 'other' }),
    pod({ name: 'relabelled', labels: { app: 'debug' } }),
  ]
  const plan = planReplicas(replicaSet(2), pods, ROOM, NOW)
  assert.deepEqual(names(plan.adopt), ['orphan'])
  assert.deepEqual(names(plan.release), ['relabelled'])
  assert.deepEqual([plan.create, plan.surplus.length], [0, 0])
})

test('the surplus is what hurts least to lose', () => {
  const inOrder = [
    pod({ name: 'pending', phase: 'Pending' }),
    pod({ name: 'unready' }),
    pod({ name: 'cheap', readySince: EARLY, cost: -1 }),
    pod({ name: 'ready-late', readySince: LATE }),
    pod({ name: 'restarts', readySince: EARLY, restartCount: 4 }),
    pod({ name: 'young', readySince: EARLY, createdAt: 2 }),
    pod({ name: 'old', readySince: EARLY, createdAt: 1 }),
    pod({ name: 'dear', readySince: LATE, cost: 10 }),
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray(inOrder, { minLength: 8 }), fc.integer({ min: 0, max: 8 }), (pods, wanted) => {
      const { surplus, create, status } = planReplicas(replicaSet(wanted), pods, ROOM, NOW)
      assert.deepEqual(names(surplus), names(inOrder).slice(0, 8 - wanted))
      assert.deepEqual([create, status.replicas], [0, wanted])
    }),
  )
})

test('the status counts what is ready, and what has been so for long enough', () => {
  const pods = [
    pod({ name: 'a', readySince: EARLY, labels: { app: 'web', tier: 'front' } }),
    pod({ name: 'b', readySince: LATE }),
    pod({ name: 'c' }),
  ]
  const { status, requeueAfterMs } = planReplicas(replicaSet(3, 5), pods, ROOM, NOW)
  assert.deepEqual(status, {
    replicas: 3,
    fullyLabeledReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 1,
    observedGeneration: 3,
    conditions: undefined,
  })
  assert.equal(requeueAfterMs, 3000)
  assert.equal(planReplicas(replicaSet(undefined), pods, ROOM, NOW).requeueAfterMs, undefined)
})

test('many are made and deleted some at a time, up to as many as there is room for', () => {
  const many = Array.from({ length: 60 }, (_, index) => pod({ name: `p${index}` }))
  const up = planReplicas(replicaSet(2 ** 31 - 1), many, ROOM, NOW)
  assert.ok(up.create > 0 && up.create <= 50 && up.hasMore)
  assert.equal(up.status.replicas, 60 + up.create)
  const down = planReplicas(replicaSet(0), many, ROOM, NOW)
  assert.ok(down.surplus.length > 0 && down.surplus.length <= 50 && down.hasMore)
  assert.equal(planReplicas(replicaSet(60), many, ROOM, NOW).hasMore, false)
  const full = planReplicas(replicaSet(2 ** 31 - 1), many, 0, NOW)
  assert.deepEqual([full.create, full.hasMore, full.requeueAfterMs !== undefined], [0, false, true])
  assert.equal(full.status.conditions?.[0]?.type, 'ReplicaFailure')
})
