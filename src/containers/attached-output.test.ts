import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { OutputStream, RuntimeAttach } from '../runtime/index.ts'
import { attachedOutput } from './attached-output.ts'

const PATIENCE_MS = 20
const MEBIBYTE = Buffer.alloc(1024 * 1024, 'x')

/** A container's streams, which tell what is done to them. */
function source() {
  const calls: string[] = []
  let output: (stream: OutputStream, bytes: Buffer) => void = () => {}
  let end = () => {}
  const attach: RuntimeAttach = {
    stdin: new PassThrough(),
    onOutput(listener) {
      output = listener
    },
    onEnd(listener) {
      end = listener
    },
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    [Symbol.dispose]() {
      calls.push('dispose')
      end()
    },
  }
  return { attach, calls, write: (bytes: Buffer) => output('stdout', bytes), end: () => end() }
}

test('a reader gets what is written, and the end', async () => {
  const { attach, write, end, calls } = source()
  const output = attachedOutput(attach, PATIENCE_MS)
  write(Buffer.from('a'))
  end()
  assert.deepEqual(await Array.fromAsync(output), [{ stream: 'stdout', bytes: Buffer.from('a') }])
  assert.deepEqual(calls, [])
})

test('a reader who stops for too long is dropped and told why, and the container is let go', async () => {
  const { attach, write, calls } = source()
  const output = attachedOutput(attach, PATIENCE_MS)
  for (let i = 0; i < 5; i++) write(MEBIBYTE)
  assert.deepEqual(calls, ['pause'])
  // The timer that waits for the reader keeps no process alive: this one does.
  await new Promise((resolve) => setTimeout(resolve, 10 * PATIENCE_MS))
  assert.deepEqual(calls, ['pause', 'dispose'])
  await assert.rejects(Array.fromAsync(output), { code: 'resource_exhausted', message: /^Detached: 4 MiB of output/ })
})

test('a reader who is slow, but reads, is waited for', async () => {
  const { attach, write, end, calls } = source()
  const output = attachedOutput(attach, 60_000)
  for (let i = 0; i < 5; i++) write(MEBIBYTE)
  let bytes = 0
  const read = output[Symbol.asyncIterator]()
  while (bytes < 3 * MEBIBYTE.length) bytes += (await read.next()).value!.bytes.length
  assert.deepEqual(calls, ['pause', 'resume'])
  end()
  for await (const chunk of output) bytes += chunk.bytes.length
  assert.equal(bytes, 5 * MEBIBYTE.length)
  assert.deepEqual(calls, ['pause', 'resume'])
})
