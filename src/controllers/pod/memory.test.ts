import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PodMemory } from './memory.ts'

const fault = { reason: 'ErrImagePull', message: 'no such image' }

test('a container that cannot be made is tried again later each time; with another image at once', () => {
  const memory = new PodMemory()
  const container = { name: 'main', image: 'old' }
  for (const [at, delay] of [
    [0, 10_000],
    [10_000, 20_000],
    [30_000, 40_000],
  ] as const) {
    memory.hold(container, fault, at)
    memory.releaseChanged({ containers: [container] })
    assert.deepEqual([...memory.holds()], [['main', at + delay]])
  }
  assert.equal(memory.waitings(60_000).get('main')!.reason, 'ImagePullBackOff')
  memory.releaseChanged({ containers: [{ name: 'main', image: 'new' }] })
  assert.equal(memory.holds().size, 0)
})

test('what runs of a pod that is to end has the time that is given, also if it comes later', () => {
  const memory = new PodMemory()
  using grace = memory.grace(60_000)
  const { interrupted } = memory
  memory.interrupt(30_000)
  assert.equal(interrupted.aborted, true)
  assert.equal(memory.interrupted.aborted, false)
  assert.ok(grace.leftMs <= 30_000 && grace.leftMs > 0)
  memory.interrupt(0)
  assert.equal(grace.signal.aborted, true)
})
