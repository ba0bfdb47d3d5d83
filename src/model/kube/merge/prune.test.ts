import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sample, sampleSchema } from '../../../../test/support/merge-samples.ts'
import { fieldSetOf } from './field-set.ts'
import { prune } from './prune.ts'

type Path = readonly string[]
const at = (...names: string[]): Path => ['spec', ...names].map((name) => (/^.:/.test(name) ? name : `f:${name}`))
const left = (spec: object, given: readonly Path[], wanted: readonly Path[]) =>
  prune(sampleSchema, sample(spec), fieldSetOf(...given), fieldSetOf(at('replicas'), ...wanted))

test('a named field goes as a whole, unless something below it is wanted', () => {
  const probe = { path: '/', period: 10 }
  const spec = { replicas: 1, containers: [{ name: 'a', probe }] }
  const container = at('containers', 'k:{"name":"a"}')
  const path = [...container, 'f:probe', 'f:path']
  const period = [...container, 'f:probe', 'f:period']
  assert.deepEqual(left(spec, [path], [container]), sample({ replicas: 1, containers: [{ name: 'a' }] }))
  assert.deepEqual(
    left(spec, [path], [container, period]),
    sample({ replicas: 1, containers: [{ name: 'a', probe: { period: 10 } }] }),
  )
  assert.deepEqual(left(spec, [path], [container, path]), sample(spec))
})

test('an entry goes as a whole, unless it is wanted itself', () => {
  const spec = { replicas: 1, limits: { a: { soft: 1, hard: 2 }, b: { soft: 1 } } }
  const entry = at('limits', 'a')
  const hard = at('limits', 'a', 'hard')
  assert.deepEqual(left(spec, [entry], [hard]), sample({ replicas: 1, limits: { b: { soft: 1 } } }))
  assert.deepEqual(left(spec, [hard], [entry]), sample({ replicas: 1, limits: { a: { soft: 1 }, b: { soft: 1 } } }))
})

test('what becomes empty goes, unless it is wanted for itself', () => {
  const spec = { replicas: 1, emptyDir: { medium: 'Memory' } }
  const medium = at('emptyDir', 'medium')
  assert.deepEqual(left(spec, [medium], [at('emptyDir', 'other')]), sample({ replicas: 1 }))
  assert.deepEqual(left(spec, [medium], [at('emptyDir')]), sample({ replicas: 1, emptyDir: {} }))
})

test('what nobody gives up is the same object', () => {
  const object = sample({ replicas: 1, emptyDir: {} })
  assert.equal(prune(sampleSchema, object, fieldSetOf(at('replicas')), fieldSetOf(at('replicas'))), object)
})
