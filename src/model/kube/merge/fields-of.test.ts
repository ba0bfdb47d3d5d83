import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sample, sampleSchema } from '../../../../test/support/merge-samples.ts'
import { pathsOf } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { describePath } from './path-element.ts'

const pathsIn = (spec: object, metadata?: object) =>
  [...pathsOf(fieldsOf(sampleSchema, sample(spec, metadata)))]
    .map(describePath)
    .filter((path) => !['apiVersion', 'kind', 'metadata.name'].includes(path))

test('scalars and what is atomic are fields, objects are not', () => {
  assert.deepEqual(pathsIn({ replicas: 2, selector: { app: 'web' }, emptyDir: { medium: 'Memory' } }), [
    'spec.replicas',
    'spec.selector',
    'spec.emptyDir.medium',
  ])
})

test('entries of maps, lists and sets are fields', () => {
  const containers = [{ name: 'web', args: ['a', 'b'], ports: [{ containerPort: 80 }] }]
  assert.deepEqual(pathsIn({ containers }, { labels: { 'a.b/c': 'x', app: 'web' }, finalizers: ['f'] }), [
    'metadata.labels["a.b/c"]',
    'metadata.labels.app',
    'metadata.finalizers["f"]',
    'spec.containers[name="web"]',
    'spec.containers[name="web"].name',
    'spec.containers[name="web"].args',
    'spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]',
    'spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].containerPort',
  ])
})

test('what is empty or null is a field', () => {
  assert.deepEqual(pathsIn({ emptyDir: {}, containers: [], limits: { a: {} }, replicas: null }), [
    'spec.emptyDir',
    'spec.containers',
    'spec.limits.a',
    'spec.replicas',
  ])
})

test('a list with two entries of the same keys is a field as a whole', () => {
  assert.deepEqual(pathsIn({ containers: [{ name: 'a' }, { name: 'a' }] }), ['spec.containers'])
})
