import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { collect, execFrames } from './exec-stream.ts'

function parseFrames(bytes: Buffer): [number, string][] {
  const frames: [number, string][] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1)
    frames.push([bytes.readUInt8(at), bytes.subarray(at + 5, at + 5 + length).toString()])
    at += 5 + length
  }
  return frames
}

test('execFrames() frames both outputs and ends with the exit code', async () => {
  const stdout = Readable.from([Buffer.from('a'), Buffer.from('b')])
  const stderr = Readable.from([Buffer.from('c')])
  const chunks: Uint8Array[] = []
  for await (const chunk of execFrames({ stdout, stderr, exit: Promise.resolve({ exitCode: 7 }) })) chunks.push(chunk)
  const frames = parseFrames(Buffer.concat(chunks))
  const textOf = (type: number) =>
    frames
      .filter(([t]) => t === type)
      .map(([, text]) => text)
      .join('')
  assert.deepEqual([textOf(1), textOf(2)], ['ab', 'c'])
  assert.deepEqual(frames.at(-1), [3, '{"exitCode":7}'])
})

test('execFrames() reads the rest when its reader has gone', async () => {
  const stdout = new PassThrough({ highWaterMark: 1 })
  const stderr = new PassThrough({ highWaterMark: 1 })
  stdout.write('first')
  const frames = execFrames({ stdout, stderr, exit: Promise.resolve({ exitCode: 0 }) })
  await frames.next()
  await frames.return(undefined)
  for (const output of [stdout, stderr]) {
    for (let i = 0; i < 50; i++) {
      if (!output.write('x'.repeat(1000))) await new Promise((resolve) => output.once('drain', resolve))
    }
    output.end()
  }
})

test('collect() keeps the first bytes and reads all', async () => {
  const chunks = ['abc', 'def', 'ghi'].map((text) => Buffer.from(text))
  assert.deepEqual(await collect(Readable.from(chunks), 4), { text: 'abcd', truncated: true })
  assert.deepEqual(await collect(Readable.from(chunks), 9), { text: 'abcdefghi', truncated: false })
  assert.deepEqual(await collect(Readable.from([]), 9), { text: '', truncated: false })
})
