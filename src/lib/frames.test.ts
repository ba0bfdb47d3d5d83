import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameReader, frame, INPUT } from './frames.ts'

const frames = fc.array(
  fc.record({ type: fc.integer({ min: 0, max: 3 }), payload: fc.uint8Array({ maxLength: 40 }) }),
  { maxLength: 12 },
)

test('frames come out of a stream that is cut anywhere', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(({ type, payload }) => frame(type, payload)))
      const reader = new FrameReader(INPUT.data)
      const got: { type: number; payload: Buffer }[] = []
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const length = cuts[cut % cuts.length]!
        for (const { type, payload } of reader.push(bytes.subarray(at, at + length))) {
          got.push({ type, payload: Buffer.from(payload) })
        }
        at += length
      }
      const dataOf = (list: readonly { type: number; payload: Uint8Array }[]) =>
        Buffer.concat(list.filter(({ type }) => type === INPUT.data).map(({ payload }) => payload))
      const othersOf = (list: readonly { type: number; payload: Uint8Array }[]) =>
        list.filter(({ type }) => type !== INPUT.data).map(({ type, payload }) => [type, Buffer.from(payload)])
      assert.deepEqual(dataOf(got), dataOf(sent))
      assert.deepEqual(othersOf(got), othersOf(sent))
    }),
  )
})

test('a frame of 2 GiB is refused at its head', () => {
  const head = Buffer.from([1, 0x80, 0, 0, 0])
  assert.throws(() => [...new FrameReader(INPUT.data).push(head)], { code: 'invalid_argument' })
})
