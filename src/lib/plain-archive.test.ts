import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { hasCode } from './errors.ts'
import { plainArchive } from './plain-archive.ts'

const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => `an archive ${index} `).join(''))

async function* inChunks(whole: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
}

const read = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(plainArchive(stream)))

test('plain, gzip and zstd come out the same, however they are cut into chunks', async () => {
  for (const pack of [(plain: Buffer) => plain, gzipSync, zstdCompressSync]) {
    for (const size of [1, 700, 10_000]) assert.deepEqual(await read(inChunks(pack(bytes), size)), bytes)
  }
})

test('what is shorter than any magic number is as it is', async () => {
  for (const short of ['', 'a', 'abc']) assert.equal(String(await read(inChunks(Buffer.from(short), 1))), short)
})

test('damaged and cut data is the fault of whoever sent it; the failure of a source is passed on', async () => {
  const packed = gzipSync(bytes)
  for (const bad of [packed.subarray(0, 500), Buffer.concat([packed.subarray(0, 20), Buffer.alloc(500, 7)])]) {
    await assert.rejects(read(inChunks(bad, 100)), (error) => hasCode(error, 'invalid_argument'))
  }
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield packed.subarray(0, 500)
    throw new Error('the client hung up')
  }
  await assert.rejects(read(broken()), /hung up/)
})

test('leaving ends the stream it reads from', async () => {
  for (const packed of [bytes, gzipSync(Buffer.alloc(5_000_000))]) {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(packed, 1000)
      } finally {
        resolve()
      }
    }
    for await (const _ of plainArchive(source())) break
    await ended
  }
})
