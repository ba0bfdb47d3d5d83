import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startOrder } from './start-order.ts'

const services = (edges: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(
    Object.entries(edges).map(([name, others]) => [
      name,
      { dependsOn: Object.fromEntries(others.map((other) => [other, {}])) },
    ]),
  )

test('each layer needs only those before it', () => {
  const order = startOrder(
    services({ web: ['api', 'cache'], api: ['db'], db: [], cache: [], lone: [], mail: ['gone'] }),
  )
  assert.deepEqual(order, [['cache', 'db', 'lone', 'mail'], ['api'], ['web']])
  assert.deepEqual(startOrder({}), [])
})

test('a circle is printed, without what leads to it', () => {
  assert.throws(() => startOrder(services({ a: ['b'], b: ['c'], c: ['b'] })), {
    code: 'invalid_argument',
    message: 'depends on itself: b -> c -> b',
  })
  assert.throws(() => startOrder(services({ a: ['a'] })), { message: 'depends on itself: a -> a' })
})

test('of any graph each service is in one layer, after what it needs, or a circle is told', () => {
  const names = ['a', 'b', 'c', 'd', 'e', '__proto__']
  const edges = fc.dictionary(fc.constantFrom(...names), fc.uniqueArray(fc.constantFrom(...names)))
  fc.assert(
    fc.property(edges, (graph) => {
      const own = services(graph)
      try {
        const order = startOrder(own)
        const layerOf = new Map(order.flatMap((layer, index) => layer.map((name) => [name, index] as const)))
        assert.deepEqual(order.flat().toSorted(), Object.keys(own).toSorted())
        for (const [name, { dependsOn }] of Object.entries(own)) {
          for (const other of Object.keys(dependsOn)) {
            if (Object.hasOwn(own, other)) assert.ok(layerOf.get(other)! < layerOf.get(name)!)
          }
        }
      } catch (error) {
        const [, way = ''] = /^depends on itself: (.*)$/.exec((error as Error).message) ?? []
        const steps = way.split(' -> ')
        assert.equal(steps[0], steps.at(-1))
        for (const [index, name] of steps.slice(0, -1).entries()) {
          assert.ok(Object.hasOwn(own[name]!.dependsOn, steps[index + 1]!))
        }
      }
    }),
  )
})

test('a long chain is no trouble', () => {
  const chain = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, index) => [`s${index}`, index === 0 ? [] : [`s${index - 1}`]]),
  )
  assert.equal(startOrder(services(chain)).length, 20_000)
})
