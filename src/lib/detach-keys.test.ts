import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_DETACH_KEYS, detachScanner, parseDetachKeys } from './detach-keys.ts'

test('detach keys are read as docker writes them', () => {
  assert.deepEqual([...parseDetachKeys(DEFAULT_DETACH_KEYS)], [0x10, 0x11])
  assert.deepEqual([...parseDetachKeys('ctrl-@,a,ctrl-[')], [0, 0x61, 0x1b])
  for (const wrong of ['', 'ctrl-', 'ctrl-1', 'ab', 'a,,b']) {
    assert.throws(() => parseDetachKeys(wrong), { code: 'invalid_argument' })
  }
})

test('the sequence detaches, however it is cut; what is before it goes on', () => {
  const scan = detachScanner(Uint8Array.of(16, 17))
  assert.deepEqual(scan(Buffer.from('ab\x10')), { forward: Uint8Array.from(Buffer.from('ab')), isDetached: false })
  assert.deepEqual(scan(Uint8Array.of(17, 65)), { forward: new Uint8Array(), isDetached: true })
})

test('anything else goes on unchanged, but for a part of the sequence at the end', () => {
  const keys = Uint8Array.of(16, 17)
  const typed = fc.array(fc.uint8Array({ maxLength: 5, max: 20 }), { maxLength: 10 })
  fc.assert(
    fc.property(typed, (chunks) => {
      const all = Buffer.concat(chunks)
      const scan = detachScanner(keys)
      const results = chunks.map((chunk) => scan(chunk))
      const at = results.findIndex(({ isDetached }) => isDetached)
      assert.equal(at >= 0, all.includes(Buffer.from(keys)))
      if (at >= 0) return
      const forward = Buffer.concat(results.map((result) => result.forward))
      const kept = all.length - forward.length
      assert.deepEqual(forward, all.subarray(0, forward.length))
      assert.deepEqual(all.subarray(forward.length), Buffer.from(keys.subarray(0, kept)))
    }),
  )
})
