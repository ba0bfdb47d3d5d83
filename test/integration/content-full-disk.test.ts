import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openContent } from '../../src/content/index.ts'
import type { Ctx } from '../../src/lib/ctx.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import type { Digest } from '../../src/model/digest.ts'
import { openSnapshots } from '../../src/snapshots/index.ts'
import { file, tar } from '../support/tar-builder.ts'

const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }

describe('on a full disk', () => {
  let dir: string
  let disk: string

  before(() => {
    dir = mkdtempSync('/var/tmp/condenser-full-')
    disk = mkdtempSync(join(dir, 'disk-'))
    mount('tmpfs', disk, 'tmpfs', 0, 'size=4m')
  })
  after(() => {
    unmount(disk)
    rmSync(dir, { recursive: true })
  })

  test('a blob fails with resource_exhausted, and goes on where it stopped', async () => {
    const content = await openContent(join(disk, 'content'))
    const blob = randomBytes(3_500_000)
    const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}` as Digest
    const offsets: number[] = []
    const fetch = async (offset: number) => {
      offsets.push(offset)
      return chunks(blob.subarray(offset))
    }
    const ballast = join(disk, 'ballast')
    writeFileSync(ballast, Buffer.alloc(2_000_000))
    await assert.rejects(content.ingest(ctx, { digest, size: blob.length }, fetch), { code: 'resource_exhausted' })
    assert.deepEqual(await content.listIngests(), [digest])
    rmSync(ballast)
    await content.ingest(ctx, { digest, size: blob.length }, fetch)
    assert.ok(offsets[1]! >= 1 << 20)
    assert.deepEqual(await content.read(digest, blob.length), blob)
    await content.remove(digest)
  })

  test('a layer fails with resource_exhausted, and leaves nothing', async () => {
    const layersDir = join(disk, 'l')
    await using snapshots = await openSnapshots({ layersDir })
    const archive = tar([file('big', randomBytes(6_000_000))])
    const blobPath = join(dir, 'blob')
    writeFileSync(blobPath, archive)
    const diffId = `sha256:${createHash('sha256').update(archive).digest('hex')}`
    const input = { blobPath, directory: 'a', diffId, maxBytes: 1e9 }
    await assert.rejects(snapshots.unpack(ctx, input), { code: 'resource_exhausted', message: /no space left/ })
    assert.deepEqual(
      readdirSync(layersDir).filter((name) => !name.startsWith('.')),
      [],
    )
  })
})

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
