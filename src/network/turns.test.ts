import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

/** Work that ends when it is told to. */
function controlled() {
  const log: string[] = []
  const ends: PromiseWithResolvers<void>[] = []
  const turns = new Turns(() => {
    const end = Promise.withResolvers<void>()
    ends.push(end)
    log.push(`begin ${ends.length}`)
    return end.promise.finally(() => log.push('end'))
  })
  return { turns, log, ends }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('those who come while work is under way share the next', async () => {
  const { turns, log, ends } = controlled()
  const first = turns.run()
  await settled()
  const [second, third] = [turns.run(), turns.run()]
  assert.equal(second, third)
  assert.deepEqual(log, ['begin 1'])
  ends[0]!.resolve()
  await first
  await settled()
  ends[1]!.resolve()
  await third
  assert.deepEqual(log, ['begin 1', 'end', 'begin 2', 'end'])
})

test('a look waits for the work before it, and the work after it for the look', async () => {
  const { turns, log, ends } = controlled()
  const first = turns.run()
  await settled()
  const second = turns.run()
  const look = turns.between(async () => {
    log.push('look')
    await settled()
    log.push('looked')
  })
  await settled()
  const third = turns.run()
  assert.equal(third, second)
  ends[0]!.resolve()
  await first
  await settled()
  const fourth = turns.run()
  ends[1]!.resolve()
  await look
  await settled()
  ends[2]!.resolve()
  await fourth
  assert.deepEqual(log, ['begin 1', 'end', 'begin 2', 'end', 'look', 'looked', 'begin 3', 'end'])
})

test('what fails is told to who asked for it, and to nobody else', async () => {
  const { turns, ends } = controlled()
  const first = turns.run()
  await settled()
  const [second, look] = [turns.run(), turns.between(async () => Promise.reject(new Error('seen')))]
  ends[0]!.reject(new Error('broken'))
  await assert.rejects(first, /broken/)
  await settled()
  ends[1]!.resolve()
  await second
  await assert.rejects(look, /seen/)
})
