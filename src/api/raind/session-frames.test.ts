import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputChunk, Session } from '../../containers/index.ts'
import { FrameReader } from '../../lib/frames.ts'
import { collect, sessionFrames } from './session-frames.ts'

/** A session that has ended, and whether it was given back. */
function ended(chunks: readonly (readonly ['stdout' | 'stderr', string])[], exitCode = 0) {
  let isDisposed = false
  const output = async function* (): AsyncGenerator<OutputChunk> {
    for (const [stream, text] of chunks) yield { stream, bytes: Buffer.from(text) }
  }
  const session: Session = {
    tty: false,
    output: output(),
    resize: async () => {},
    exit: Promise.resolve({ exitCode }),
    [Symbol.dispose]() {
      isDisposed = true
    },
  }
  return { session, isDisposed: () => isDisposed }
}

test('sessionFrames() frames both outputs in order and ends with the exit code', async () => {
  const { session, isDisposed } = ended(
    [
      ['stdout', 'a'],
      ['stderr', 'c'],
      ['stdout', 'b'],
    ],
    7,
  )
  const reader = new FrameReader(0)
  const frames: [number, string][] = []
  for await (const bytes of sessionFrames(session)) {
    for (const { type, payload } of reader.push(bytes)) frames.push([type, Buffer.from(payload).toString()])
  }
  assert.deepEqual(frames, [
    [1, 'a'],
    [2, 'c'],
    [1, 'b'],
    [3, '{"exitCode":7}'],
  ])
  assert.equal(isDisposed(), true)
})

test('sessionFrames() gives the session back when its reader has gone', async () => {
  const { session, isDisposed } = ended([
    ['stdout', 'a'],
    ['stdout', 'b'],
  ])
  const frames = sessionFrames(session)
  await frames.next()
  assert.equal(isDisposed(), false)
  await frames.return(undefined)
  assert.equal(isDisposed(), true)
})

test('collect() keeps the first bytes of each stream and reads all', async () => {
  const chunks = [
    ['stdout', 'abc'],
    ['stderr', 'x'],
    ['stdout', 'def'],
  ] as const
  assert.deepEqual(await collect(ended(chunks).session, 4), {
    stdout: { text: 'abcd', truncated: true },
    stderr: { text: 'x', truncated: false },
  })
})
