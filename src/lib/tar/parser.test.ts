import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  directory,
  field,
  file,
  gnuLong,
  hardLink,
  paxRecords,
  symlink,
  type TarItem,
  tar,
  tarItem,
} from '../../../test/support/tar-builder.ts'
import { hasCode } from '../../lib/errors.ts'
import type { TarEntry } from './entry.ts'
import { TarParser } from './parser.ts'

interface Read extends TarEntry {
  /** The file as a whole, holes as zeros. */
  readonly content: string
  readonly ranges: readonly [position: number, length: number][]
}

function parse(archive: Buffer, chunkBytes = archive.length): Read[] {
  const entries: Read[] = []
  let current: { entry: TarEntry; content: Buffer; ranges: [number, number][] } | undefined
  const parser = new TarParser({
    entry(entry) {
      assert.equal(current, undefined, 'endEntry comes before the next entry')
      current = { entry, content: Buffer.alloc(Math.min(entry.size, 1 << 20)), ranges: [] }
    },
    data(chunk, start, end, position) {
      chunk.copy(current!.content, position, start, end)
      current!.ranges.push([position, end - start])
    },
    endEntry() {
      entries.push({ ...current!.entry, content: current!.content.toString('latin1'), ranges: current!.ranges })
      current = undefined
    },
  })
  for (let at = 0; at < archive.length; at += chunkBytes) parser.push(archive.subarray(at, at + chunkBytes))
  parser.finish()
  return entries
}

const parseOne = (item: TarItem): Read => {
  const [entry] = parse(tar([item]))
  return entry!
}

const rejects = (archive: Buffer, message: RegExp) =>
  assert.throws(
    () => parse(archive),
    (error) => hasCode(error, 'invalid_argument') && message.test(error.message),
  )

describe('TarParser', () => {
  test('reads every type of entry', () => {
    const entries = parse(
      tar([
        directory('d/', { mode: 0o2755, uid: 1, gid: 2, mtime: 3 }),
        file('d/f', 'hello', { mode: 0o4755 }),
        symlink('d/s', 'f'),
        hardLink('d/h', 'd/f'),
        { path: 'c', type: '3', major: 1, minor: 3 },
        { path: 'b', type: '4', major: 8, minor: 300 },
        { path: 'p', type: '6' },
        file('7', 'contiguous', { type: '7' }),
        file('old/', '', { type: '\0', magic: 'v7' }),
        file('old/f', 'x', { type: '\0', magic: 'v7' }),
      ]),
    )
    assert.deepEqual(
      entries.map(({ path, type, size, linkPath }) => [path, type, size, linkPath]),
      [
        ['d/', 'directory', 0, ''],
        ['d/f', 'file', 5, ''],
        ['d/s', 'symlink', 0, 'f'],
        ['d/h', 'link', 0, 'd/f'],
        ['c', 'character', 0, ''],
        ['b', 'block', 0, ''],
        ['p', 'fifo', 0, ''],
        ['7', 'file', 10, ''],
        ['old/', 'directory', 0, ''],
        ['old/f', 'file', 1, ''],
      ],
    )
    const { mode, uid, gid, mtime } = entries[0]!
    assert.deepEqual({ mode, uid, gid, mtime }, { mode: 0o2755, uid: 1, gid: 2, mtime: { seconds: 3, nanoseconds: 0 } })
    assert.equal(entries[1]!.mode, 0o4755)
    assert.equal(entries[1]!.content, 'hello')
    assert.deepEqual([entries[5]!.major, entries[5]!.minor], [8, 300])
  })

  test('pax records override the header; xattrs are bytes', () => {
    const capability = Buffer.from([1, 0, 0, 2, 0, 10, 61, 0])
    const entry = parseOne(
      file('short', 'data', {
        size: 0,
        pax: {
          path: `long/${'x'.repeat(300)}`,
          size: '4',
          uid: '3000000',
          gid: '4000000000',
          mtime: '1234567890.123456789123',
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.user.a': 'b',
          comment: 'ignored',
        },
      }),
    )
    assert.equal(entry.path, `long/${'x'.repeat(300)}`)
    assert.equal(entry.content, 'data')
    assert.deepEqual([entry.uid, entry.gid], [3_000_000, 4_000_000_000])
    assert.deepEqual(entry.mtime, { seconds: 1_234_567_890, nanoseconds: 123_456_789 })
    assert.deepEqual([...entry.xattrs!.keys()], ['security.capability', 'user.a'])
    assert.deepEqual(entry.xattrs!.get('security.capability'), capability)
  })

  test('times before 1970', () => {
    assert.deepEqual(parseOne(file('f', '', { pax: { mtime: '-1.25' } })).mtime, {
      seconds: -2,
      nanoseconds: 750_000_000,
    })
    assert.deepEqual(parseOne(file('f', '', { mtime: -5 })).mtime, { seconds: -5, nanoseconds: 0 })
  })

  test('pax records are for one entry, global ones for all that follow', () => {
    const entries = parse(
      tar([
        { path: 'g', type: 'g', data: paxRecords({ uid: '7', path: 'not-taken' }) },
        file('a', '', { pax: { path: 'b', uid: '8' } }),
        file('c'),
      ]),
    )
    assert.deepEqual(
      entries.map(({ path, uid }) => [path, uid]),
      [
        ['b', 8],
        ['c', 7],
      ],
    )
  })

  test('GNU long names and base-256 numbers', () => {
    const long = 'n'.repeat(150)
    const [entry] = parse(
      tar([gnuLong('L', long), gnuLong('K', `${long}/target`), { ...symlink('x', 'y'), magic: 'gnu', uid: 5_000_000 }]),
    )
    assert.equal(entry!.path, long)
    assert.equal(entry!.linkPath, `${long}/target`)
    assert.equal(entry!.uid, 5_000_000)
  })

  test('the ustar prefix', () => {
    const patch = (block: Buffer) => block.write('some/prefix', 345)
    assert.equal(parseOne(file('name', '', { patch })).path, 'some/prefix/name')
    assert.equal(parseOne(file('name', '', { patch, magic: 'gnu' })).path, 'name')
  })

  test('GNU sparse: old format, with and without extension blocks', () => {
    const sparse = (pieces: number[], realSize: number, extended = false) => ({
      type: 'S',
      magic: 'gnu' as const,
      patch: (block: Buffer) => {
        for (const [i, value] of pieces.slice(0, 8).entries()) field(block, 386 + i * 12, 12, value)
        block[482] = extended ? 1 : 0
        field(block, 483, 12, realSize)
      },
    })
    const small = parseOne(file('f', 'abcdef', sparse([10, 4, 30, 2, 50, 0], 50)))
    assert.equal(small.size, 50)
    assert.deepEqual(small.ranges, [
      [10, 4],
      [30, 2],
    ])
    const extension = Buffer.alloc(512)
    field(extension, 0, 12, 100)
    field(extension, 12, 12, 1)
    const large = parseOne({ ...file('f', 'abcde', sparse([1, 1, 3, 1, 5, 1, 7, 1], 101, true)), extension })
    assert.deepEqual(large.ranges.at(-1), [100, 1])
    assert.equal(large.content[100], 'e')
  })

  test('GNU sparse in pax: 0.0, 0.1 and 1.0', () => {
    const ranges = [
      [10, 4],
      [30, 2],
    ]
    const common = { 'GNU.sparse.size': '64', 'GNU.sparse.numblocks': '2' }
    const zeroZero = parseOne(
      file('f', 'abcdef', {
        pax: [
          ...Object.entries(common),
          ['GNU.sparse.offset', '10'],
          ['GNU.sparse.numbytes', '4'],
          ['GNU.sparse.offset', '30'],
          ['GNU.sparse.numbytes', '2'],
        ],
      }),
    )
    const zeroOne = parseOne(
      file('GNUSparseFile.1/f', 'abcdef', {
        pax: { ...common, 'GNU.sparse.name': 'f', 'GNU.sparse.map': '10,4,30,2' },
      }),
    )
    const map = Buffer.alloc(512)
    map.write('2\n10\n4\n30\n2\n')
    const one = parseOne(
      file('GNUSparseFile.1/f', Buffer.concat([map, Buffer.from('abcdef')]), {
        pax: {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 'f',
          'GNU.sparse.realsize': '64',
        },
      }),
    )
    for (const entry of [zeroZero, zeroOne, one]) {
      assert.deepEqual({ path: entry.path, size: entry.size, ranges: entry.ranges }, { path: 'f', size: 64, ranges })
      assert.equal(entry.content.slice(10, 14), 'abcd')
    }
  })

  test('malformed archives are refused', () => {
    const broken = tar([file('f', 'x')])
    broken[0]! ^= 1
    rejects(broken, /checksum/)
    rejects(tar([file('f', 'x')]).subarray(0, 700), /middle of an entry/)
    rejects(tarItem({ path: 'p', type: 'x', data: paxRecords({ path: 'q' }) }), /middle of an entry/)
    rejects(tar([{ path: 'f', type: 'Q' }]), /unknown type/)
    rejects(tar([file('f', '', { size: -1 })]), /negative size/)
    rejects(tar([file('f', '', { patch: (block) => block.write('9', 100) })]), /octal/)
    rejects(tar([file('f', '', { pax: { path: 'a\0b' } })]), /NUL/)
    rejects(tar([file('f', '', { pax: { uid: '4294967295' } })]), /owner/)
    rejects(tar([file('f', '', { pax: { mtime: 'now' } })]), /time/)
    rejects(tar([{ path: 'x', type: 'x', data: '5 a=b\n' }, file('f')]), /pax record/)
    rejects(tar([{ path: 'x', type: 'x', data: '99 a=b\n' }, file('f')]), /pax record/)
    rejects(tar([{ path: 'x', type: 'x', size: 2 << 20 }]), /too large/)
    rejects(Buffer.concat([Buffer.alloc(512), tar([file('f')])]), /follows the end/)
    const overlap = { 'GNU.sparse.size': '64', 'GNU.sparse.map': '10,4,12,2' }
    rejects(tar([file('f', 'abcdef', { pax: overlap })]), /overlaps/)
    rejects(tar([file('f', 'abc', { pax: { ...overlap, 'GNU.sparse.map': '10,4' } })]), /fit the data/)
  })

  test('what follows the end is ignored', () => {
    assert.equal(parse(Buffer.concat([tar([file('f')]), Buffer.alloc(4096, 'x')])).length, 1)
    assert.deepEqual(parse(Buffer.alloc(0)), [])
  })
})

const anyItem = fc.record({
  path: fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    minLength: 1,
    maxLength: 400,
  }),
  data: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 0xffff_fffe }),
  gid: fc.integer({ min: 0, max: 0xffff_fffe }),
  mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
})

describe('TarParser, for any archive', () => {
  test('reads what was written, however it is cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 5 }), fc.integer({ min: 1, max: 2000 }), (items, chunkBytes) => {
        const archive = tar(items.map((item) => ({ ...item, pax: { path: item.path } })))
        const read = parse(archive, chunkBytes)
        assert.deepEqual(
          read.map(({ path, content, mode, uid, gid, mtime }) => ({
            path,
            content,
            mode,
            uid,
            gid,
            mtime: mtime.seconds,
          })),
          items
            .map((item) => ({ ...item, content: item.data.toString('latin1'), data: undefined }))
            .map(({ data: _, ...item }) => item),
        )
      }),
      { numRuns: 60 },
    )
  })

  test('fails only with invalid_argument, whatever the bytes', () => {
    const damaged = fc.record({
      items: fc.array(anyItem, { minLength: 1, maxLength: 3 }),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      fixChecksum: fc.boolean(),
    })
    fc.assert(
      fc.property(damaged, ({ items, at, byte, fixChecksum }) => {
        const patch = (block: Buffer) => {
          block[at % 512] = byte
        }
        const archive = tar(
          items.map((item) => ({ ...item, ...(fixChecksum ? { patch } : {}), pax: { path: item.path } })),
        )
        archive[at % archive.length] = byte
        try {
          parse(archive, 777)
        } catch (error) {
          assert.ok(hasCode(error, 'invalid_argument'), String(error))
        }
      }),
      { numRuns: 300 },
    )
  })
})
