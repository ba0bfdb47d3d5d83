import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deadline } from './deadline.ts'

test('deadline(): ends with the other signal, also with one that has ended', () => {
  const other = new AbortController()
  using within = deadline(other.signal, 60_000)
  assert.equal(within.signal.aborted, false)
  other.abort('why')
  assert.deepEqual([within.signal.aborted, within.signal.reason], [true, 'why'])
  using late = deadline(other.signal, 60_000)
  assert.equal(late.signal.aborted, true)
})

test('deadline(): ends when the time is up', async () => {
  using within = deadline(new AbortController().signal, 1)
  await once(within.signal, 'abort')
  assert.equal(within.signal.reason.name, 'TimeoutError')
})

test('deadline(): a time of months does not end at once', async () => {
  using within = deadline(undefined, 2 ** 40)
  await sleep(20)
  assert.equal(within.signal.aborted, false)
})

test('deadline(): does not end any more once it was disposed of', () => {
  const other = new AbortController()
  const within = deadline(other.signal, 60_000)
  within[Symbol.dispose]()
  other.abort()
  assert.equal(within.signal.aborted, false)
})

test('deadline(): what has come in time counts, though this thread was busy when the time was up', async (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  using within = deadline(new AbortController().signal, 20)
  const told = once(port1, 'message').then(() => within.signal.aborted)
  // In this phase of the event loop: timers come next, and what has arrived after them.
  setImmediate(() => {
    port2.postMessage('in time')
    const until = performance.now() + 40
    while (performance.now() < until);
  })
  assert.equal(await told, false)
})
