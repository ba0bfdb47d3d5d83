import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { OutputQueue } from './output-queue.ts'
import type { OutputChunk } from './types.ts'

const LIMIT = 100

function queue() {
  const calls: string[] = []
  const source = { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') }
  return { queue: new OutputQueue(source, LIMIT), calls }
}

/** With an `o` or `e` before what is of another stream than what comes before. */
class Transcript {
  text = ''
  #stream: string | undefined

  add({ stream, bytes }: OutputChunk): void {
    if (stream !== this.#stream) this.text += stream === 'stdout' ? 'o' : 'e'
    this.#stream = stream
    this.text += Buffer.from(bytes)
  }
}

async function all(chunks: AsyncIterable<OutputChunk>): Promise<string> {
  const transcript = new Transcript()
  for await (const chunk of chunks) transcript.add(chunk)
  return transcript.text
}

test('what is pushed comes out in order, before and after its reader came, and then the end', async () => {
  const { queue: output } = queue()
  output.push('stdout', Buffer.from('1'))
  const read = all(output)
  await turn()
  output.push('stderr', Buffer.from('2'))
  output.push('stdout', Buffer.from('3'))
  output.end()
  output.push('stdout', Buffer.from('late'))
  assert.equal(await read, 'o1e2o3')
})

test('what waits comes in few pieces, each of one stream and of 64 KiB at most', async () => {
  const { queue: output } = queue()
  for (const [stream, kibibytes] of [
    ['stdout', 30],
    ['stdout', 34],
    ['stdout', 1],
    ['stderr', 8],
    ['stderr', 8],
    ['stdout', 100],
  ] as const) {
    output.push(stream, Buffer.alloc(kibibytes * 1024))
  }
  output.end()
  const pieces: [string, number][] = []
  for await (const { stream, bytes } of output) pieces.push([stream, bytes.length / 1024])
  assert.deepEqual(pieces, [
    ['stdout', 64],
    ['stdout', 1],
    ['stderr', 16],
    ['stdout', 64],
    ['stdout', 36],
  ])
})

test('the source is paused beyond the limit, once, and resumed at half of it', async () => {
  const { queue: output, calls } = queue()
  for (const stream of ['stdout', 'stderr', 'stdout'] as const) output.push(stream, Buffer.alloc(51))
  assert.deepEqual([calls, output.isFull], [['pause'], true])
  const chunks = output[Symbol.asyncIterator]()
  await chunks.next()
  assert.deepEqual(calls, ['pause'], '102 wait')
  await chunks.next()
  assert.deepEqual(calls, ['pause'], '51 wait')
  await chunks.next()
  assert.deepEqual([calls, output.isFull], [['pause', 'resume'], false])
})

test('an error comes at once, and what waited is dropped', async () => {
  const { queue: output } = queue()
  output.push('stdout', Buffer.from('x'))
  output.end(new Error('gone'))
  await assert.rejects(all(output), { message: 'gone' })
})

test('a reader who leaves, or a discard, lets the source go on, and drops what comes', async () => {
  const { queue: output, calls } = queue()
  output.push('stdout', Buffer.alloc(200))
  const chunks = output[Symbol.asyncIterator]()
  await chunks.next()
  await chunks.return(undefined)
  output.push('stdout', Buffer.alloc(500))
  assert.deepEqual([calls, output.isFull], [['pause', 'resume'], false])

  const { queue: unread, calls: others } = queue()
  unread.push('stdout', Buffer.alloc(200))
  unread.discard()
  assert.deepEqual(others, ['pause', 'resume'])
  assert.equal(await all(unread), '')
})

test('whatever is pushed, nothing is lost or turned round, and pauses and resumes take turns', async () => {
  const chunk = fc.record({ isError: fc.boolean(), size: fc.nat(80), waits: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 40 }), async (chunks) => {
      const { queue: output, calls } = queue()
      const read = all(output)
      const expected = new Transcript()
      for (const [index, { isError, size, waits }] of chunks.entries()) {
        const stream = isError ? 'stderr' : 'stdout'
        const bytes = Buffer.from(String(index).padEnd(size, '.'))
        expected.add({ stream, bytes })
        output.push(stream, bytes)
        if (waits) await turn()
      }
      output.end()
      assert.equal(await read, expected.text)
      assert.deepEqual(
        calls,
        calls.map((_, index) => (index % 2 === 0 ? 'pause' : 'resume')),
      )
      assert.equal(calls.length % 2, 0)
    }),
  )
})
