import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../lib/errors.ts'
import { archiveEntries } from './archive.ts'

const BLOCK = 512

function entry(path: string, data: string, type = '0'): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(path, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(Math.ceil(data.length / BLOCK) * BLOCK)
  body.write(data)
  return Buffer.concat([header, body])
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const archive = Buffer.concat([entry('a', 'x'.repeat(1000)), entry('empty', ''), entry('b', 'yes'), Buffer.alloc(1024)])

for (const size of [1, 7, 512, 700, 1 << 20]) {
  test(`reads files from chunks of ${size}`, async () => {
    const seen: [string, string][] = []
    for await (const file of archiveEntries(inChunks(archive, size))) {
      seen.push([file.path, Buffer.concat(await Array.fromAsync(file.data)).toString()])
    }
    assert.deepEqual(seen, [
      ['a', 'x'.repeat(1000)],
      ['empty', ''],
      ['b', 'yes'],
    ])
  })
}

test('data that is not read, or not to its end, is passed over', async () => {
  const paths: string[] = []
  for await (const file of archiveEntries(inChunks(archive, 100))) {
    paths.push(file.path)
    if (file.path === 'a') for await (const _chunk of file.data) break
  }
  assert.deepEqual(paths, ['a', 'empty', 'b'])
})

test('an archive that is cut short fails', async () => {
  const cut = archive.subarray(0, 700)
  await assert.rejects(
    async () => {
      for await (const file of archiveEntries(inChunks(cut, 100))) await Array.fromAsync(file.data)
    },
    (error) => hasCode(error, 'invalid_argument'),
  )
})

test('leaving ends the stream it reads from', async () => {
  let ended = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield archive.subarray(0, 1536)
    } finally {
      ended = true
    }
  }
  for await (const _file of archiveEntries(endless())) break
  assert.equal(ended, true)
})

test('pax headers and long names tell the path and size of the entry after them', async () => {
  const long = `blobs/${'long/'.repeat(40)}x`
  const record = (text: string) => `${String(text.length + 5)} ${text}\n` // three digits, a space, a newline
  const bytes = Buffer.concat([
    entry('@LongLink', `${long}\0`, 'L'),
    entry('short', 'one'),
    entry('pax', record(`path=${long}`), 'x'),
    entry('short', 'two'),
    entry('plain', 'three'),
    entry('dir/', '', '5'),
    Buffer.alloc(1024),
  ])
  const seen = await Array.fromAsync(archiveEntries(inChunks(bytes, 333)), ({ path, size, type }) => [path, size, type])
  assert.deepEqual(seen, [
    [long, 3, 'file'],
    [long, 3, 'file'],
    ['plain', 5, 'file'],
    ['dir/', 0, 'other'],
  ])
})

test('any bytes give entries or invalid_argument, nothing else', async () => {
  const flips = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(flips, fc.nat(archive.length), async (changes, length) => {
      const bytes = Buffer.from(archive.subarray(0, length))
      for (const [at, value] of changes) if (at < length) bytes[at] = value
      try {
        for await (const file of archiveEntries(inChunks(bytes, 200))) await Array.fromAsync(file.data)
      } catch (error) {
        assert.ok(hasCode(error, 'invalid_argument'), String(error))
      }
    }),
    { numRuns: 300 },
  )
})
