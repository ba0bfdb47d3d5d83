import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import type { BottleService } from '../model/bottle.ts'
import { BOTTLE_LABELS } from '../model/bottle-labels.ts'
import type { Digest } from '../model/digest.ts'
import { configHash } from './member-request.ts'
import { planService } from './plan-service.ts'
import type { Member } from './types.ts'

const IMAGE = `sha256:${'1'.repeat(64)}` as Digest
const OTHER = `sha256:${'2'.repeat(64)}` as Digest

function bottleOf(service: Partial<BottleService> = {}) {
  const { spec } = SAMPLE_OBJECTS.Bottle
  const metadata = { name: 'shop' } as never
  return { metadata, spec: { ...spec, services: { web: { ...spec.services['web']!, ...service } } } }
}

interface Made {
  readonly number: number
  readonly isCurrent: boolean
  readonly isRunning: boolean
}

function memberOf({ number, isCurrent, isRunning }: Made, index: number): Member {
  const { spec } = SAMPLE_OBJECTS.Container
  const labels = { [BOTTLE_LABELS.configHash]: configHash(bottleOf(), 'web') }
  const container = {
    metadata: { name: `m${index}`, uid: `${index}`, labels } as never,
    spec: { ...spec, imageId: isCurrent ? IMAGE : OTHER },
    status: { preparedAt: 1, restartCount: 0, ...(isRunning && { pid: 1, startedAt: 1 }) },
  }
  return { service: 'web', number, container }
}

const members = fc
  .array(fc.record({ number: fc.integer({ min: 1, max: 6 }), isCurrent: fc.boolean(), isRunning: fc.boolean() }), {
    maxLength: 6,
  })
  .map((all) => all.map(memberOf))

describe('planService()', () => {
  test('there are as many as there should be, each with a number of its own that is as low as can be', () => {
    fc.assert(
      fc.property(members, fc.nat(5), fc.boolean(), (members, replicas, recreate) => {
        const plan = planService(bottleOf({ replicas }), 'web', members, { imageId: IMAGE, recreate })
        const kept = [...plan.keep, ...plan.replace]
        assert.equal(kept.length + plan.create.length, replicas)
        assert.deepEqual(
          [...kept, ...plan.remove].map((one) => one.container.metadata.name).toSorted(),
          members.map((one) => one.container.metadata.name).toSorted(),
        )
        assert.ok(plan.create.every((number) => kept.every((one) => one.number !== number)))
        assert.equal(new Set(plan.create).size, plan.create.length)
        if (recreate) assert.equal(plan.keep.length, 0)
        else assert.ok(plan.replace.every(({ container }) => container.spec.imageId === OTHER))
      }),
    )
  })

  test('what is as it should be stays before others, then what runs, then the lower numbers', () => {
    const made = [
      { number: 1, isCurrent: false, isRunning: true },
      { number: 2, isCurrent: true, isRunning: false },
      { number: 3, isCurrent: true, isRunning: true },
      { number: 4, isCurrent: true, isRunning: true },
    ].map(memberOf)
    const numbersOf = (replicas: number) =>
      planService(bottleOf({ replicas }), 'web', made, { imageId: IMAGE, recreate: false }).keep.map(
        ({ number }) => number,
      )
    assert.deepEqual([1, 2, 3].map(numbersOf), [[3], [3, 4], [3, 4, 2]])
  })
})

describe('configHash()', () => {
  const hash = (service: Partial<BottleService>) => configHash(bottleOf(service), 'web')

  test('changes with what makes a container what it is', () => {
    const { volumes, ...rest } = bottleOf().spec
    for (const change of [
      { env: ['A=2'] },
      { image: 'other' },
      { mounts: [] },
      { readOnlyRootfs: true as const, tmpfs: [] },
    ]) {
      assert.notEqual(hash(change), hash({}), JSON.stringify(change))
    }
    const renamed = { ...bottleOf(), spec: { ...rest, volumes: { data: { name: 'other', labels: {} } } } }
    assert.notEqual(configHash(renamed, 'web'), hash({}))
    assert.ok(volumes)
  })

  test('does not change with how many there are, when they start, or how they are replaced', () => {
    for (const change of [
      { replicas: 9 },
      { dependsOn: {} },
      { updateOrder: 'stop-first' as const },
      { pull: 'always' as const },
    ]) {
      assert.equal(hash(change), hash({}), JSON.stringify(change))
    }
  })
})
