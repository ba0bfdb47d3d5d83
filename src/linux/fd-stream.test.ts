import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../test/support/eventually.ts'
import { fdStream } from './fd-stream.ts'
import { check, libc } from './libc.ts'

const socketpair = libc('int socketpair(int, int, int, _Out_ int*)')
const [AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET] = [1, 1, 5]
const CLOEXEC_NONBLOCK = 0o2004000

function pair(type: number) {
  const ends: [number, number] = [0, 0]
  check('socketpair', socketpair(AF_UNIX, type | CLOEXEC_NONBLOCK, 0, ends))
  return ends.map((fd) => fdStream(fd, { halfCloses: true })) as [
    ReturnType<typeof fdStream>,
    ReturnType<typeof fdStream>,
  ]
}

test('packets stay what they are, and the end of one side is the end for the other', async () => {
  const [a, b] = pair(SOCK_SEQPACKET)
  for (const text of ['one', 'two', 'three']) a.write(text)
  a.end()
  const packets: string[] = []
  for await (const packet of b) packets.push(String(packet))
  assert.deepEqual(packets, ['one', 'two', 'three'])
  a.destroy()
})

test('a reader who takes his time makes the writer wait, and gets all', async () => {
  const [a, b] = pair(SOCK_STREAM)
  const sent = Buffer.alloc(3_000_000, 'abcdefg')
  let written = false
  a.end(sent, () => {
    written = true
  })
  await sleep(50)
  assert.equal(written, false)
  const chunks: Buffer[] = []
  for await (const chunk of b) chunks.push(chunk)
  assert.ok(Buffer.concat(chunks).equals(sent))
})

test('chunks that are taken come in one memory, and not while it is paused', async () => {
  const ends: [number, number] = [0, 0]
  check('socketpair', socketpair(AF_UNIX, SOCK_SEQPACKET | CLOEXEC_NONBLOCK, 0, ends))
  const writer = fdStream(ends[0], { halfCloses: true })
  const memory = new Set<ArrayBufferLike>()
  const taken: string[] = []
  const reader = fdStream(ends[1], {
    halfCloses: true,
    take(chunk) {
      taken.push(String(chunk))
      memory.add(chunk.buffer)
      if (taken.length === 2) reader.pause()
    },
  })
  for (const text of ['one', 'two', 'three']) writer.write(text)
  await sleep(20)
  assert.deepEqual(taken, [])
  reader.resume()
  await eventually(() => taken.length >= 2)
  await sleep(20)
  assert.deepEqual(taken, ['one', 'two'])
  reader.resume()
  writer.end('four')
  await once(reader, 'close')
  assert.deepEqual(taken, ['one', 'two', 'three', 'four'])
  assert.equal(memory.size, 1)
})

test('what is written to who has gone is dropped, and his end is an end', async () => {
  const [a, b] = pair(SOCK_STREAM)
  b.destroy()
  await once(b, 'close')
  await sleep(10)
  await new Promise<void>((resolve, reject) => a.write('x', (error) => (error ? reject(error) : resolve())))
  a.resume()
  await once(a, 'close')
})

test('of a peer that writes much at once all comes, in order, and what is written to it meanwhile gets there', async () => {
  const [a, b] = pair(SOCK_SEQPACKET)
  const packets = Array.from({ length: 400 }, (_, i) => Buffer.alloc(8193, i))
  const echoed = once(a, 'data')
  for (const packet of packets) a.write(packet)
  a.end()
  const got: Buffer[] = []
  for await (const packet of b) {
    if (got.length === 0) b.write('heard')
    got.push(packet)
  }
  assert.deepEqual(
    got.map((packet) => [packet.length, packet[0]]),
    packets.map((packet) => [packet.length, packet[0]]),
  )
  assert.equal(String((await echoed)[0]), 'heard')
  a.destroy()
})
