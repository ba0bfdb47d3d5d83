import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { alongDependencies, reversed } from './along-dependencies.ts'

type Graph = Parameters<typeof reversed>[0]

const graphOf = (arrows: Readonly<Record<string, readonly string[]>>): Graph =>
  Object.fromEntries(
    Object.entries(arrows).map(([name, on]) => [
      name,
      { dependsOn: Object.fromEntries(on.map((one) => [one, { condition: 'started', required: true }])) },
    ]),
  )

/** Without cycles: each depends on earlier ones only. */
const graphs = fc
  .array(fc.array(fc.nat(9), { maxLength: 3 }), { maxLength: 10 })
  .map((all) =>
    graphOf(
      Object.fromEntries(
        all.map((on, index) => [`s${index}`, on.filter((one) => one < index).map((one) => `s${one}`)]),
      ),
    ),
  )

const never = new AbortController().signal

describe('alongDependencies()', () => {
  test('works on each once, after what it depends on, and reversed before that', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.boolean(), async (graph, isReversed) => {
        const begun: string[] = []
        const done = new Set<string>()
        const arrows = isReversed ? reversed(graph) : graph
        await alongDependencies(arrows, never, async (service) => {
          for (const name of Object.keys(arrows[service]!.dependsOn))
            assert.ok(done.has(name), `${service} before ${name}`)
          begun.push(service)
          await Promise.resolve()
          done.add(service)
        })
        assert.deepEqual(begun.toSorted(), Object.keys(graph).toSorted())
      }),
    )
  })

  test('side by side where nothing is waited for', async () => {
    let running = 0
    let most = 0
    await alongDependencies(graphOf({ a: [], b: [], c: [], d: ['a', 'b', 'c'] }), never, async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
    })
    assert.equal(most, 3)
  })

  test('a failure keeps the rest from beginning, ends what runs, and is told when that has ended', async () => {
    const ends: string[] = []
    const work = async (service: string, signal: AbortSignal) => {
      if (service === 'bad') throw new Error('it is bad')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ends.push(service)
    }
    await assert.rejects(alongDependencies(graphOf({ slow: [], bad: [], last: ['slow'] }), never, work), /it is bad/)
    assert.deepEqual(ends, ['slow'])
  })

  test('what is not there is passed over', async () => {
    const begun: string[] = []
    await alongDependencies(graphOf({ b: ['a', 'gone'], a: [] }), never, async (service) => void begun.push(service))
    assert.deepEqual(begun, ['a', 'b'])
  })
})
