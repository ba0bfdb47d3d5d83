import type { Readable } from 'node:stream'
import type { ExecStreams } from '../../containers/index.ts'
import { FRAME } from './types.ts'

const HEAD_BYTES = 5

/**
 * An exec's output as frames: u8 type, u32 BE length, payload; the last one tells the exit code. Reads no faster than
 * it is read. If its reader goes, the rest is read and dropped: the process must not wait for somebody who has left.
 */
export async function* execFrames({ stdout, stderr, exit }: ExecStreams): AsyncGenerator<Uint8Array> {
  const open = new Map<number, AsyncIterator<Buffer>>([
    [FRAME.stdout, chunksOf(stdout)],
    [FRAME.stderr, chunksOf(stderr)],
  ])
  const pending = new Map([...open].map(([type, chunks]) => [type, nextOf(type, chunks)]))
  try {
    while (pending.size > 0) {
      const { type, result } = await Promise.race(pending.values())
      if (result.done) {
        pending.delete(type)
        open.delete(type)
        continue
      }
      yield frame(type, result.value)
      pending.set(type, nextOf(type, open.get(type)!))
    }
    const { exitCode } = await exit
    yield frame(FRAME.exit, Buffer.from(JSON.stringify({ exitCode })))
  } finally {
    for (const chunks of open.values()) void drop(chunks)
  }
}

/** Reads a stream to its end, and keeps the first `limit` bytes. */
export async function collect(stream: Readable, limit: number): Promise<{ text: string; truncated: boolean }> {
  const kept: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (length < limit) kept.push(chunk.subarray(0, limit - length))
    length += chunk.length
  }
  return { text: Buffer.concat(kept).toString(), truncated: length > limit }
}

function chunksOf(stream: Readable): AsyncIterator<Buffer> {
  return stream[Symbol.asyncIterator]()
}

async function nextOf(type: number, chunks: AsyncIterator<Buffer>) {
  return { type, result: await chunks.next() }
}

async function drop(chunks: AsyncIterator<Buffer>): Promise<void> {
  try {
    while (!(await chunks.next()).done);
  } catch {
    // The process is gone, and so is whoever wanted to know.
  }
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt32BE(payload.length, 1)
  bytes.set(payload, HEAD_BYTES)
  return bytes
}
