import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openSnapshots } from '../../src/snapshots/index.ts'
import { openLayerLab } from '../support/layers.ts'
import { file, tar } from '../support/tar-builder.ts'

/** Makes and mounts a container's root filesystem; its directory and mount point. */
async function openRoot(root: string, layers: readonly string[]) {
  const snapshots = await openSnapshots({ layersDir: join(root, 'l') })
  const container = join(root, 'container')
  const paths = { upper: join(container, 'upper'), work: join(container, 'work'), target: join(root, 'rootfs') }
  await snapshots.prepare(container, layers[0])
  await snapshots.prepare(container, layers[0])
  mkdirSync(paths.target)
  return { snapshots, paths, mount: () => snapshots.mount({ layers, ...paths }) }
}

describe('overlay mounts', () => {
  test('500 layers, also as the parents of a commit; 501 are refused', async () => {
    await using lab = await openLayerLab()
    const { layersDir } = lab
    const layers = Array.from({ length: 500 }, (_, i) => `z${i.toString(36)}`)
    for (const name of layers) {
      mkdirSync(join(layersDir, name))
      writeFileSync(join(layersDir, name, name), name)
    }
    const { snapshots, paths, mount } = await openRoot(lab.dir, layers)
    const before = process.cwd()
    await mount()
    assert.equal(process.cwd(), before)
    assert.deepEqual(readdirSync(paths.target).sort(), layers.toSorted())
    writeFileSync(join(paths.target, 'z0'), 'changed')
    assert.equal(readFileSync(join(layersDir, 'z0/z0'), 'utf8'), 'z0')
    await snapshots.unmount(paths.target)
    await snapshots.unmount(paths.target)
    assert.deepEqual(readdirSync(paths.target), [])
    await mount()
    assert.equal(readFileSync(join(paths.target, 'z0'), 'utf8'), 'changed')
    await snapshots.unmount(paths.target)

    const unpacked = await lab.unpack(tar([file('d/x', 'x')]))
    await lab.commit(unpacked, layers.slice(1))
    await assert.rejects(lab.commit(unpacked, layers), { code: 'invalid_argument' })
    await assert.rejects(snapshots.mount({ layers: [...layers, 'one'], ...paths }), { code: 'invalid_argument' })
    await snapshots[Symbol.asyncDispose]()
  })

  test('paths with every separator, and no layer at all', async () => {
    const root = join(mkdtempSync('/var/tmp/condenser-snapshots-'), 'a:b,c\\d e')
    mkdirSync(join(root, 'l/one'), { recursive: true })
    writeFileSync(join(root, 'l/one/f'), 'f')
    for (const layers of [['one'], []]) {
      const { snapshots, paths, mount } = await openRoot(root, layers)
      await mount()
      // What a runtime mounts something on is below every image.
      const mountPoints = ['dev', 'etc', 'proc', 'sys']
      const own = layers.length === 0 ? [] : ['f']
      assert.deepEqual(readdirSync(paths.target).sort(), [...mountPoints, ...own].sort())
      writeFileSync(join(paths.target, 'new'), '')
      assert.ok(existsSync(join(paths.upper, 'new')))
      await snapshots.unmount(paths.target)
      await snapshots.sync()
      await snapshots.removeTree(join(root, 'container'))
      await snapshots.removeTree(join(root, 'container'))
      rmSync(paths.target, { recursive: true })
      await snapshots[Symbol.asyncDispose]()
    }
    rmSync(join(root, '..'), { recursive: true })
  })
})
