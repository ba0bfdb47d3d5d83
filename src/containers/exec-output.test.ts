import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { ExecExit } from '../runtime/index.ts'
import { execOutput } from './exec-output.ts'

const LINGER_MS = 50

function exec() {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const { promise: exit, resolve } = Promise.withResolvers<ExecExit>()
  const output = execOutput({ stdout, stderr, exit, pid: 1, resize() {}, signal: async () => true }, LINGER_MS)
  return { stdout, stderr, output, end: () => resolve({ exitCode: 0 }) }
}

test('both outputs come as one, in order, and end when both have', { timeout: 10_000 }, async () => {
  const { stdout, stderr, output } = exec()
  for (const [stream, text] of [
    [stdout, 'a'],
    [stderr, 'b'],
    [stdout, 'c'],
  ] as const) {
    stream.write(text)
    await turn()
  }
  stdout.end()
  stderr.end()
  const chunks = await Array.fromAsync(output)
  assert.deepEqual(
    chunks.map(({ stream, bytes }) => [stream, String(bytes)]),
    [
      ['stdout', 'a'],
      ['stderr', 'b'],
      ['stdout', 'c'],
    ],
  )
})

test('output that something in the background holds open is let go when it is silent', {
  timeout: 10_000,
}, async () => {
  const { stdout, stderr, output, end } = exec()
  stderr.end()
  stdout.write('last')
  end()
  const read = await Array.fromAsync(output)
  assert.deepEqual(
    read.map(({ bytes }) => String(bytes)),
    ['last'],
  )
  assert.equal(stdout.destroyed, true)
})

test('a reader who is behind is not cut off by that', { timeout: 10_000 }, async () => {
  const { stdout, stderr, output, end } = exec()
  const mebibyte = Buffer.alloc(1024 * 1024)
  stdout.write(mebibyte)
  stderr.end()
  end()
  await sleep(3 * LINGER_MS)
  assert.deepEqual([output.isFull, stdout.destroyed], [true, false])
  const read = await Array.fromAsync(output)
  assert.equal(
    read.reduce((sum, { bytes }) => sum + bytes.length, 0),
    mebibyte.length,
  )
})
