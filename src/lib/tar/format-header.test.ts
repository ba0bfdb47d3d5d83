import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatFileHeader } from './format-header.ts'
import { parseHeader } from './header.ts'

test('what is written is read again', () => {
  const path = fc.stringMatching(/^[a-z0-9/.]{1,100}$/)
  const size = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 8 ** 11 - 1, 8 ** 11))
  fc.assert(
    fc.property(path, size, (name, bytes) => {
      const header = parseHeader(formatFileHeader(name, bytes), 0)
      assert.deepEqual([header.path, header.size, header.typeFlag, header.mode], [name, bytes, '0', 0o644])
    }),
  )
  assert.throws(() => formatFileHeader('x'.repeat(101), 0), RangeError)
})
