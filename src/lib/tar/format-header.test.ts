import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TarEntry } from './entry.ts'
import { formatEntry, formatFileHeader } from './format-header.ts'
import { parseHeader } from './header.ts'
import { TarParser } from './parser.ts'

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

test('an entry of any kind, name, owner, time and attributes is read again', () => {
  const byte = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code))
  const name = fc.array(byte, { minLength: 1, maxLength: 300 }).map((bytes) => bytes.join(''))
  const id = fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: 0xffff_fffe }))
  const entry = fc.record({
    path: name,
    type: fc.constantFrom('file', 'directory', 'symlink', 'link', 'character', 'block', 'fifo'),
    mode: fc.nat(0o7777),
    uid: id,
    gid: id,
    mtime: fc.record({
      seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      nanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
    }),
    linkPath: name,
    xattrs: fc.array(
      fc.tuple(
        fc.stringMatching(/^user\.[a-z]{1,8}$/),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      ),
    ),
  })
  fc.assert(
    fc.property(entry, ({ xattrs, ...rest }) => {
      const isLink = rest.type === 'link' || rest.type === 'symlink'
      const isDevice = rest.type === 'character' || rest.type === 'block'
      const written = {
        ...rest,
        mtime: { ...rest.mtime },
        size: 0,
        linkPath: isLink ? rest.linkPath : '',
        major: isDevice ? 8 : 0,
        minor: isDevice ? 77 : 0,
        xattrs: xattrs.length === 0 ? undefined : new Map(xattrs),
      } as TarEntry
      const read: TarEntry[] = []
      const parser = new TarParser({ entry: (one) => read.push(one), data: () => {}, endEntry: () => {} })
      parser.push(Buffer.concat([formatEntry(written), Buffer.alloc(1024)]))
      parser.finish()
      const path = written.type === 'directory' && !written.path.endsWith('/') ? `${written.path}/` : written.path
      assert.deepEqual(read, [{ ...written, path }])
    }),
    { numRuns: 500 },
  )
})
