import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Ctx } from '../../src/lib/ctx.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { lgetxattr, llistxattr } from '../../src/linux/xattr.ts'
import { openSnapshots, type Snapshots } from '../../src/snapshots/index.ts'
import { type LayerLab, openLayerLab } from '../support/layers.ts'
import { directory, file, hardLink, symlink, type TarItem, tar } from '../support/tar-builder.ts'

const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }
const MAX_BYTES = 64 << 20

describe('unpacking layers', () => {
  let lab: LayerLab
  let dir: string
  let layersDir: string
  let snapshots: Snapshots

  before(async () => {
    lab = await openLayerLab()
    ;({ dir, layersDir, snapshots } = lab)
    mkdirSync(join(dir, 'outside'))
    writeFileSync(join(dir, 'outside/victim'), 'untouched')
  })
  after(() => lab[Symbol.asyncDispose]())

  const layer = (items: readonly TarItem[]) => lab.layer(items)
  const unpackBytes: LayerLab['unpack'] = (...input) => lab.unpack(...input)

  /** It fails, leaves no directory, and nothing outside has changed. */
  async function assertRefused(items: readonly TarItem[], expected: { code: string; message?: RegExp }) {
    const before = lab.names()
    await assert.rejects(lab.layer(items), expected)
    assert.deepEqual(lab.names(), before)
    assertOutsideUntouched()
  }

  function assertOutsideUntouched(): void {
    assert.deepEqual(readdirSync(join(dir, 'outside')), ['victim'])
    assert.equal(readFileSync(join(dir, 'outside/victim'), 'utf8'), 'untouched')
    assert.equal(lstatSync(join(dir, 'outside/victim')).nlink, 1)
  }

  const path = (name: string, below: string) => lab.path(name, below)
  const read = (name: string, below: string) => readFileSync(path(name, below), 'utf8')
  const xattr = (name: string, below: string, key: string) => lgetxattr(path(name, below), key)?.toString()
  const isWhiteout = (name: string, below: string) => lab.isWhiteout(name, below)

  test('keeps owners, modes, times and types', async () => {
    const name = await layer([
      directory('./', { mode: 0o711, uid: 5, gid: 6, mtime: 42 }),
      directory('d/', { mode: 0o2775, uid: 0, gid: 50, mtime: 100 }),
      file('d/in-setgid', 'x', { uid: 0, gid: 0 }),
      file('suid', 'x', { mode: 0o4755, uid: 1000, gid: 1000, pax: { mtime: '1234567890.987654321' } }),
      file('none', '', { mode: 0 }),
      symlink('link', '/anywhere', { uid: 7, gid: 8, mtime: 1000 }),
      { path: 'fifo', type: '6', mode: 0o640, uid: 9 },
      { path: 'null', type: '3', mode: 0o666, major: 1, minor: 3 },
      { path: 'disk', type: '4', mode: 0o660, major: 259, minor: 70_000 },
      directory('d/sub/', { mode: 0o1777, mtime: 7 }),
      file('d/sub/late', 'late'),
      hardLink('hard', 'suid'),
      file('old', '', { mtime: -1 }),
    ])
    const stat = (below: string) => lstatSync(path(name, below), { bigint: true })
    const root = stat('')
    assert.deepEqual([root.mode & 0o7777n, root.uid, root.gid, root.mtimeMs], [0o711n, 5n, 6n, 42_000n])
    assert.deepEqual([stat('d').mode & 0o7777n, stat('d').gid, stat('d').mtimeMs], [0o2775n, 50n, 100_000n])
    assert.equal(stat('d/in-setgid').gid, 0n)
    assert.deepEqual([stat('suid').mode & 0o7777n, stat('suid').uid, stat('suid').gid], [0o4755n, 1000n, 1000n])
    assert.equal(stat('suid').mtimeNs, 1_234_567_890_987_654_321n)
    assert.equal(stat('suid').ino, stat('hard').ino)
    assert.equal(stat('none').mode & 0o7777n, 0n)
    assert.equal(readlinkSync(path(name, 'link')), '/anywhere')
    assert.deepEqual([stat('link').uid, stat('link').gid, stat('link').mtimeMs], [7n, 8n, 1_000_000n])
    assert.ok(stat('fifo').isFIFO() && stat('fifo').uid === 9n)
    assert.ok(stat('null').isCharacterDevice() && stat('null').rdev === 0x103n)
    const { rdev } = stat('disk')
    assert.deepEqual([(rdev >> 8n) & 0xfffn, (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)], [259n, 70_000n])
    assert.deepEqual([stat('d/sub').mode & 0o7777n, stat('d/sub').mtimeMs], [0o1777n, 7000n])
    assert.equal(stat('old').mtimeMs, -1000n)
  })

  test("keeps the attributes that are an image's, and no others", async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
    const name = await layer([
      directory('d/', {
        pax: {
          'SCHILY.xattr.user.dir': 'yes',
          'SCHILY.xattr.trusted.overlay.opaque': 'y',
          'SCHILY.xattr.trusted.overlay.redirect': '/etc',
        },
      }),
      file('ping', 'x', {
        uid: 10,
        pax: {
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.user.file': 'ü',
          'SCHILY.xattr.security.selinux': 'label',
          'SCHILY.xattr.trusted.overlay.metacopy': '',
          'SCHILY.xattr.trusted.other': '1',
        },
      }),
    ])
    assert.deepEqual(llistxattr(path(name, 'd')), ['user.dir'])
    assert.deepEqual(llistxattr(path(name, 'ping')).sort(), ['security.capability', 'trusted.other', 'user.file'])
    assert.deepEqual(lgetxattr(path(name, 'ping'), 'security.capability'), capability)
  })

  test('names are bytes', async () => {
    const name = await layer([file('latin\xe9', 'bytes'), directory('d\xff'), file('d\xff/\xfe', 'x')])
    assert.deepEqual(readdirSync(path(name, ''), { encoding: 'latin1' }).sort(), ['d\xff', 'latin\xe9'])
  })

  test('sparse files keep their holes', async () => {
    const name = await layer([
      file('sparse', 'data', { pax: { 'GNU.sparse.size': '50000000', 'GNU.sparse.map': '40000000,4' } }),
    ])
    const stat = lstatSync(path(name, 'sparse'))
    assert.equal(stat.size, 50_000_000)
    assert.ok(stat.blocks * 512 < 1_000_000)
    assert.equal(readFileSync(path(name, 'sparse')).toString('latin1', 40_000_000, 40_000_004), 'data')
  })

  test('what GNU tar writes', async () => {
    const source = join(dir, 'source')
    mkdirSync(join(source, 'deep/er'), { recursive: true })
    writeFileSync(join(source, `deep/er/${'n'.repeat(200)}`), 'long name')
    execFileSync('truncate', ['-s', '3M', join(source, 'holes')])
    for (const format of ['gnu', 'pax', 'posix']) {
      const archive = execFileSync('tar', ['-S', `--format=${format}`, '-C', source, '-cf', '-', '.'], {
        maxBuffer: 64 << 20,
      })
      const unpacked = await unpackBytes(archive)
      assert.equal(read(unpacked.directory, `deep/er/${'n'.repeat(200)}`), 'long name')
      const holes = lstatSync(path(unpacked.directory, 'holes'))
      assert.deepEqual([holes.size, holes.blocks], [3 << 20, 0])
    }
  })

  test('gzip (many members, zeros after), zstd (many frames), plain', async () => {
    const archive = tar([file('f', 'content')])
    const half = (bytes: Buffer) => [bytes.subarray(0, 700), bytes.subarray(700)] as const
    const packers: ((bytes: Buffer) => Buffer)[] = [
      (bytes) => gzipSync(bytes),
      (bytes) => Buffer.concat(half(bytes).map((part) => gzipSync(part))),
      (bytes) => Buffer.concat([gzipSync(bytes), Buffer.alloc(512)]),
      (bytes) => zstdCompressSync(bytes),
      (bytes) => Buffer.concat(half(bytes).map((part) => zstdCompressSync(part))),
      (bytes) => Buffer.concat([zstdCompressSync(bytes), Buffer.from('502a4d1804000000deadbeef', 'hex')]),
      (bytes) => Buffer.concat([Buffer.from('502a4d1804000000deadbeef', 'hex'), zstdCompressSync(bytes)]),
      (bytes) => bytes,
    ]
    for (const [index, pack] of packers.entries()) {
      const { directory: name } = await unpackBytes(archive, pack)
      assert.equal(read(name, 'f'), 'content', `packer ${index}`)
    }
  })

  test('damaged and wrong data is refused', async () => {
    const archive = tar([file('f', Buffer.alloc(100_000, 'random'))])
    await assert.rejects(
      unpackBytes(archive, (bytes) => gzipSync(bytes).subarray(0, 200)),
      { code: 'invalid_argument' },
    )
    await assert.rejects(
      unpackBytes(archive, (bytes) => zstdCompressSync(bytes).subarray(0, -10)),
      { code: 'invalid_argument' },
    )
    await assert.rejects(
      unpackBytes(archive, (bytes) => {
        const packed = gzipSync(bytes)
        packed[60]! ^= 0xff
        return packed
      }),
      { code: 'invalid_argument' },
    )
    await assert.rejects(
      unpackBytes(archive, () => tar([file('f', 'other')])),
      { code: 'invalid_argument', message: /diffId/ },
    )
    await assert.rejects(unpackBytes(archive.subarray(0, 5000)), { code: 'invalid_argument' })
  })

  test('the last of several entries wins', async () => {
    const name = await layer([
      file('f', 'first'),
      file('f', 'second'),
      directory('full/sub'),
      file('full/sub/x', 'x'),
      file('full', 'now a file'),
      file('was-file', 'x'),
      directory('was-file', { mode: 0o700 }),
      file('was-file/in', 'in'),
      symlink('l', 'f'),
      file('l', 'not through the link'),
      file('dir-link/x', 'real'),
      symlink('to-dir', 'dir-link'),
      directory('to-dir'),
      file('to-dir/y', 'y'),
      directory('twice', { mode: 0o700, uid: 3 }),
      file('twice/kept', 'kept'),
      directory('twice', { mode: 0o755, mtime: 9 }),
    ])
    assert.equal(read(name, 'f'), 'second')
    assert.equal(read(name, 'full'), 'now a file')
    assert.equal(read(name, 'was-file/in'), 'in')
    assert.equal(read(name, 'l'), 'not through the link')
    assert.deepEqual(readdirSync(path(name, 'dir-link')), ['x'])
    assert.equal(read(name, 'to-dir/y'), 'y')
    const twice = lstatSync(path(name, 'twice'))
    assert.deepEqual([twice.mode & 0o7777, twice.uid, twice.mtimeMs], [0o755, 0, 9000])
    assert.equal(read(name, 'twice/kept'), 'kept')
  })

  test('writes through symlinks of the layer stay inside', async () => {
    const name = await layer([
      symlink('bin', '/usr/bin'),
      file('bin/tool', 'tool'),
      symlink('rel', 'a/../b'),
      file('rel/x', 'x'),
      symlink('up', '../../../..'),
      file('up/top', 'top'),
      symlink('host', join(dir, 'outside')),
      file('host/victim', 'inside'),
      file('host/new', 'new'),
    ])
    assert.equal(read(name, 'usr/bin/tool'), 'tool')
    assert.equal(read(name, 'b/x'), 'x')
    assert.equal(read(name, 'top'), 'top')
    assert.equal(read(name, join(dir, 'outside/victim')), 'inside')
    assertOutsideUntouched()
  })

  test('absolute names are meant from the root', async () => {
    const name = await layer([file('/etc/passwd', 'inside'), hardLink('/h', '/etc/passwd')])
    assert.equal(read(name, 'etc/passwd'), 'inside')
    assert.equal(read(name, 'h'), 'inside')
  })

  test('escapes are refused', async () => {
    const outside = join(dir, 'outside')
    const refused = { code: 'invalid_argument' }
    await assertRefused([file('../outside/victim', 'x')], refused)
    await assertRefused([file('a/../../../outside/victim', 'x')], refused)
    await assertRefused([directory('..', { mode: 0o777 })], refused)
    await assertRefused([hardLink('h', '../outside/victim')], refused)
    await assertRefused([hardLink('h', `${outside}/victim`)], refused)
    await assertRefused([symlink('s', outside), hardLink('h', 's/victim')], refused)
    await assertRefused([symlink('a', 'b'), symlink('b', 'a'), file('a/x', 'x')], refused)
    await assertRefused([file('f', 'x'), file('f/x', 'x')], refused)
    await assertRefused([file('./', 'the root as a file')], refused)
    await assertRefused([file('x', '', { pax: { path: 'n'.repeat(256) } })], refused)
    await assertRefused([file('x', '', { pax: { path: 'd/'.repeat(3000) } })], refused)
    await assertRefused([directory('d'), hardLink('h', 'd')], refused)
    await assertRefused([{ path: 'dev', type: '3', major: 0xffff, minor: 0 }], refused)
    assertOutsideUntouched()
  })

  test('a symlink as the last name is replaced, not followed', async () => {
    const name = await layer([
      symlink('victim', join(dir, 'outside/victim')),
      file('victim', 'mine'),
      symlink('d', join(dir, 'outside')),
      directory('d', { mode: 0o700 }),
    ])
    assert.equal(read(name, 'victim'), 'mine')
    assert.ok(lstatSync(path(name, 'd')).isDirectory())
    assertOutsideUntouched()
  })

  test("whiteouts become overlayfs's own", async () => {
    const { directory: name } = await unpackBytes(
      tar([
        file('gone/.wh.a'),
        file('.wh.b'),
        directory('opaque'),
        file('opaque/.wh..wh..opq'),
        file('opaque/x', 'x'),
        file('.wh..wh.plnk/1.2', 'aufs'),
        file('.wh.again'),
        directory('again'),
        directory('kept'),
        file('.wh.kept'),
        file('implied/x', 'x'),
        file('.wh.implied'),
        file('.wh.replaced'),
        file('replaced', 'new'),
        file('not.wh.one', 'x'),
      ]),
    )
    assert.ok(isWhiteout(name, 'gone/a') && isWhiteout(name, 'b'))
    for (const below of ['opaque', 'again', 'kept', 'implied'])
      assert.equal(xattr(name, below, 'trusted.overlay.opaque'), 'y', below)
    assert.deepEqual(readdirSync(path(name, 'opaque')), ['x'])
    assert.equal(read(name, 'replaced'), 'new')
    assert.deepEqual(readdirSync(path(name, '')).sort(), [
      'again',
      'b',
      'gone',
      'implied',
      'kept',
      'not.wh.one',
      'opaque',
      'replaced',
    ])
  })

  test('whiteout tricks are refused', async () => {
    for (const bad of ['.wh.', '.wh..', '.wh...', 'd/.wh...', '.wh.x/file']) {
      await assertRefused([file(bad)], { code: 'invalid_argument' })
    }
  })

  test('a bomb ends at the limit', async () => {
    const limit = 1 << 20
    const bombs: Buffer[] = [
      tar([file('big', Buffer.alloc(2 << 20))]),
      tar(Array.from({ length: 300 }, (_, i) => file('x', '', { pax: { path: `${i}/${'d/'.repeat(50)}f` } }))),
      tar([file('f', 'x')], Buffer.alloc(80 << 20)),
    ]
    for (const bomb of bombs) {
      const before = readdirSync(layersDir).sort()
      await assert.rejects(unpackBytes(bomb, undefined, limit), { code: 'resource_exhausted' })
      assert.deepEqual(readdirSync(layersDir).sort(), before)
    }
  })

  test('a tree deeper than PATH_MAX can be removed', async () => {
    const items: TarItem[] = []
    // Each symlink leads to the end of what is there, so that the next path starts where the last one ended.
    for (let i = 0; i < 6; i++) {
      const start = i === 0 ? '' : `s${i - 1}/`
      const deep = Array.from({ length: 300 }, () => 'dddd').join('/')
      items.push(file('x', 'x', { pax: { path: `${start}${deep}/f` } }))
      items.push(symlink(`s${i}`, 'x', { pax: { linkpath: `${start}${deep}` } }))
    }
    const { directory: name } = await unpackBytes(tar(items))
    await snapshots.removeLayer(name)
    assert.equal(existsSync(path(name, '')), false)
    assert.deepEqual(
      readdirSync(layersDir).filter((entry) => entry.startsWith('.gone')),
      [],
    )
    await snapshots.removeLayer(name)
  })

  test('an immutable file is reported, and removed once it is not', async () => {
    const name = await layer([file('d/f', 'x'), file('d/g', 'x')])
    const immutable = path(name, 'd/f')
    execFileSync('chattr', ['+i', immutable])
    await assert.rejects(snapshots.removeLayer(name), { code: 'failed_precondition', message: /immutable/ })
    execFileSync('chattr', ['-i', join(layersDir, `.gone-${name}`, 'd/f')])
    await snapshots.removeLayer(name)
    assert.deepEqual(
      readdirSync(layersDir).filter((entry) => entry.startsWith('.gone')),
      [],
    )
  })

  test('a cancelled unpack leaves nothing', async () => {
    const cancel = new AbortController()
    const blobPath = join(dir, 'large.tar')
    writeFileSync(blobPath, tar([file('f', Buffer.alloc(32 << 20))]))
    const input = { blobPath, directory: 'cancelled', diffId: `sha256:${'0'.repeat(64)}`, maxBytes: MAX_BYTES }
    const result = snapshots.unpack({ ...ctx, signal: cancel.signal }, input, () => cancel.abort())
    await assert.rejects(result, { code: 'cancelled' })
    assert.equal(existsSync(path('cancelled', '')), false)
  })

  test('what an earlier process left half removed goes at the next start', async () => {
    const root = join(dir, 'restart')
    mkdirSync(join(root, '.gone-a/b/c'), { recursive: true })
    mkdirSync(join(root, '.view-3'))
    const restarted = await openSnapshots({ layersDir: root })
    await restarted.removeTree(join(root, 'nothing'))
    assert.deepEqual(readdirSync(root).sort(), ['.empty', '.points'])
    await restarted[Symbol.asyncDispose]()
  })
})
