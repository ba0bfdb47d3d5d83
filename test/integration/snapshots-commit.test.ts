import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { lgetxattr } from '../../src/linux/xattr.ts'
import { type LayerLab, openLayerLab } from '../support/layers.ts'
import { directory, file, hardLink, symlink, type TarItem, tar } from '../support/tar-builder.ts'

/** Of a root filesystem, less the mount points that are below every image. */
function ownNames(root: string): string[] {
  return readdirSync(root)
    .filter((name) => !['dev', 'etc', 'proc', 'sys'].includes(name))
    .sort()
}

describe('committing layers on others', () => {
  let lab: LayerLab
  before(async () => {
    lab = await openLayerLab()
  })
  after(() => lab[Symbol.asyncDispose]())

  /** Layers bottom first; their directories top first, as mounts take them. */
  async function stack(...layers: readonly (readonly TarItem[])[]): Promise<string[]> {
    const directories: string[] = []
    for (const items of layers) directories.unshift(await lab.layer(items, directories))
    return directories
  }

  /** Runs `look` on the merged root filesystem. */
  async function merged(layers: readonly string[], look: (root: string) => void): Promise<void> {
    const container = join(lab.dir, `c-${layers[0]}`)
    await lab.snapshots.prepare(container, layers[0])
    const target = join(container, 'rootfs')
    mkdirSync(target)
    const { upper, work } = { upper: join(container, 'upper'), work: join(container, 'work') }
    await lab.snapshots.mount({ layers, upper, work, target })
    try {
      look(target)
    } finally {
      await lab.snapshots.unmount(target)
    }
  }

  const read = (root: string, below: string) => readFileSync(join(root, below), 'utf8')

  test('implied directories stay as they are below', async () => {
    const capabilityFree = { 'SCHILY.xattr.user.note': 'kept' }
    const layers = await stack(
      [
        directory('./', { mode: 0o711, uid: 3, gid: 4, mtime: 5 }),
        directory('var', { mode: 0o2775, uid: 1, gid: 2, mtime: 77, pax: capabilityFree }),
        directory('var/lib', { mode: 0o700, uid: 9, mtime: 88 }),
        file('var/lib/old', 'old'),
      ],
      [file('var/lib/new', 'new'), file('var/other/deep', 'x')],
    )
    const top = layers[0]!
    for (const [below, expected] of [
      ['', [0o711, 3, 4, 5000]],
      ['var', [0o2775, 1, 2, 77_000]],
      ['var/lib', [0o700, 9, 0, 88_000]],
    ] as const) {
      const { mode, uid, gid, mtimeMs } = lstatSync(lab.path(top, below))
      assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], expected, below)
    }
    assert.equal(lstatSync(lab.path(top, 'var/other')).mode & 0o7777, 0o755)
    assert.equal(lgetxattr(lab.path(top, 'var'), 'user.note')?.toString(), 'kept')
    await merged(layers, (root) => {
      assert.deepEqual(readdirSync(join(root, 'var/lib')).sort(), ['new', 'old'])
      const { mode, uid, gid } = lstatSync(root)
      assert.deepEqual([mode & 0o7777, uid, gid], [0o711, 3, 4])
    })
  })

  test('implied directories that are symlinks below: the content goes where they lead', async () => {
    const layers = await stack(
      [
        directory('usr', { mode: 0o755, mtime: 10 }),
        directory('usr/lib', { mode: 0o750, mtime: 11 }),
        directory('usr/lib/x', { mode: 0o701 }),
        file('usr/lib/gone', 'x'),
        symlink('lib', 'usr/lib'),
        symlink('abs', '/usr/share/abs'),
        symlink('dangling', '../../srv/data'),
      ],
      [
        file('lib/a', 'a'),
        file('lib/x/b', 'b'),
        directory('lib/new', { mode: 0o700, mtime: 12 }),
        file('lib/.wh.gone'),
        file('lib/.wh.never'),
        file('abs/c', 'c'),
        file('dangling/d', 'd'),
        directory('usr/lib/x', { mode: 0o711, mtime: 13 }),
      ],
    )
    const top = layers[0]!
    assert.deepEqual(readdirSync(lab.path(top, '')).sort(), ['srv', 'usr'])
    assert.ok(lab.isWhiteout(top, 'usr/lib/gone'))
    assert.deepEqual(lstatSync(lab.path(top, 'usr/lib')).mode & 0o7777, 0o750)
    assert.equal(lstatSync(lab.path(top, 'usr/lib')).mtimeMs, 11_000)
    const explicit = lstatSync(lab.path(top, 'usr/lib/x'))
    assert.deepEqual([explicit.mode & 0o7777, explicit.mtimeMs], [0o711, 13_000])
    await merged(layers, (root) => {
      assert.equal(readlinkSync(join(root, 'lib')), 'usr/lib')
      assert.equal(read(root, 'lib/a'), 'a')
      assert.equal(read(root, 'usr/lib/x/b'), 'b')
      assert.equal(lstatSync(join(root, 'lib/new')).mtimeMs, 12_000)
      assert.equal(read(root, 'usr/share/abs/c'), 'c')
      assert.equal(read(root, 'srv/data/d'), 'd')
    })
  })

  test('symlinks behind symlinks, of both layers', async () => {
    const layers = await stack(
      [directory('real/in'), symlink('one', 'two'), symlink('two/../three', 'real'), symlink('two', 'three')],
      [file('one/in/a', 'a'), symlink('mine', 'one/in'), file('mine/b', 'b'), file('two/c', 'c')],
    )
    await merged(layers, (root) => {
      assert.deepEqual(readdirSync(join(root, 'real/in')).sort(), ['a', 'b'])
      assert.equal(read(root, 'real/c'), 'c')
      assert.equal(read(root, 'mine/b'), 'b')
    })
    assert.deepEqual(readdirSync(lab.path(layers[0]!, '')).sort(), ['mine', 'real'])
  })

  test('a directory that the archive describes replaces a symlink below', async () => {
    const layers = await stack(
      [directory('target'), file('target/old', 'x'), symlink('link', 'target')],
      [directory('link', { mode: 0o700 }), file('link/sub/mine', 'mine')],
    )
    await merged(layers, (root) => {
      assert.deepEqual(readdirSync(join(root, 'link')), ['sub'])
      assert.deepEqual(readdirSync(join(root, 'target')), ['old'])
    })
  })

  test('hard links to files of lower layers', async () => {
    const layers = await stack(
      [
        directory('etc', { mtime: 50 }),
        file('etc/shared', 'shared', { mode: 0o4711, uid: 7, mtime: 5 }),
        symlink('etc/sym', 'shared'),
      ],
      [file('middle', 'x'), symlink('alias', 'etc')],
      [
        directory('d', { mtime: 60 }),
        hardLink('d/first', 'etc/shared'),
        hardLink('second', 'd/first'),
        hardLink('third', 'alias/shared'),
        hardLink('sym', '/etc/sym'),
        hardLink('overwritten', 'etc/shared'),
        file('overwritten', 'file'),
        file('earlier', 'file'),
        hardLink('earlier', 'etc/shared'),
      ],
    )
    const top = layers[0]!
    const stat = (below: string) => lstatSync(lab.path(top, below))
    const { ino, nlink, mode, uid, mtimeMs } = stat('etc/shared')
    assert.deepEqual([nlink, mode & 0o7777, uid, mtimeMs], [5, 0o4711, 7, 5000])
    for (const below of ['d/first', 'second', 'third', 'earlier']) assert.equal(stat(below).ino, ino, below)
    assert.equal(readlinkSync(lab.path(top, 'sym')), 'shared')
    assert.equal(readFileSync(lab.path(top, 'overwritten'), 'utf8'), 'file')
    assert.deepEqual([stat('etc').mtimeMs, stat('d').mtimeMs], [50_000, 60_000])
  })

  test('hard links to nothing, to what is gone, and to directories are refused', async () => {
    const parents = await stack([file('etc/gone', 'x'), directory('etc/dir')], [file('etc/.wh.gone')])
    for (const target of ['nowhere', 'etc/gone', 'etc/dir', 'etc/dir/x']) {
      await assert.rejects(lab.layer([hardLink('h', target)], parents), { code: 'invalid_argument' }, target)
    }
    await assert.rejects(lab.layer([hardLink('h', 'x')]), { code: 'invalid_argument' })
  })

  test('a copy up counts against the limit', async () => {
    const parents = await stack([file('big', Buffer.alloc(1 << 20))])
    const unpacked = await lab.unpack(tar([hardLink('h', 'big')]), undefined, 100_000)
    await assert.rejects(lab.commit(unpacked, parents), { code: 'resource_exhausted' })
  })

  test('whiteouts and opaque directories hide what is below, and only that', async () => {
    const layers = await stack(
      [
        file('a/gone', 'x'),
        file('a/kept', 'x'),
        file('opaque/old', 'x'),
        file('tree/sub/old', 'x'),
        file('was-dir/old', 'x'),
        directory('opaque/sub', { mode: 0o700 }),
        symlink('link', 'a'),
      ],
      [
        file('a/.wh.gone'),
        file('opaque/.wh..wh..opq'),
        file('opaque/new', 'x'),
        file('opaque/sub/new', 'x'),
        file('.wh.tree'),
        file('tree/sub/new', 'x'),
        file('was-dir', 'file'),
        file('.wh.link'),
        file('link/in', 'x'),
      ],
    )
    await merged(layers, (root) => {
      assert.deepEqual(readdirSync(join(root, 'a')), ['kept'])
      assert.deepEqual(readdirSync(join(root, 'opaque')).sort(), ['new', 'sub'])
      // Hidden below, so it takes nothing from there.
      assert.equal(lstatSync(join(root, 'opaque/sub')).mode & 0o7777, 0o755)
      assert.deepEqual(readdirSync(join(root, 'tree/sub')), ['new'])
      assert.equal(read(root, 'was-dir'), 'file')
      assert.deepEqual(readdirSync(join(root, 'link')), ['in'])
    })
  })

  test('a whiteout of nothing is not seen', async () => {
    const layers = await stack(
      [file('hidden/below', 'x'), file('here', 'x')],
      [
        directory('fresh', { mtime: 20 }),
        file('fresh/.wh.a'),
        file('hidden/.wh..wh..opq'),
        file('hidden/.wh.below'),
        { path: 'fresh/device', type: '3' },
        { path: 'here', type: '3' },
      ],
    )
    await merged(layers, (root) => {
      assert.deepEqual(ownNames(root), ['fresh', 'hidden'])
      assert.deepEqual(readdirSync(join(root, 'fresh')), [])
      assert.deepEqual(readdirSync(join(root, 'hidden')), [])
      assert.equal(lstatSync(join(root, 'fresh')).mtimeMs, 20_000)
    })
  })

  test('an opaque root hides all that is below', async () => {
    const layers = await stack(
      [file('a', 'x'), file('d/old', 'x'), directory('./', { mode: 0o750 })],
      [file('.wh.a'), file('.wh..wh..opq'), file('d/new', 'new')],
    )
    await merged(layers, (root) => {
      assert.deepEqual(ownNames(root), ['d'])
      assert.deepEqual(readdirSync(join(root, 'd')), ['new'])
    })
    assert.equal(lstatSync(lab.path(layers[0]!, '')).mode & 0o7777, 0o750)
  })

  test('hostile links below lead nowhere outside', async () => {
    const parents = await stack([symlink('out', '../../../../../..'), symlink('loop', 'loop'), symlink('etc', '/srv')])
    const layers = [await lab.layer([file('out/x', 'x'), file('etc/y', 'y')], parents), ...parents]
    assert.deepEqual(readdirSync(lab.path(layers[0]!, '')).sort(), ['srv', 'x'])
    await assert.rejects(lab.layer([file('loop/x', 'x')], parents), { code: 'invalid_argument' })
  })

  test('leaves no mount and no view behind', () => {
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(lab.dir))
    assert.deepEqual(
      lab.names().filter((name) => name.startsWith('.')),
      ['.empty', '.points'],
    )
  })
})
