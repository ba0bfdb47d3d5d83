import { createHash } from 'node:crypto'
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Ctx } from '../../src/lib/ctx.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { openSnapshots, type Snapshots, type Unpacked } from '../../src/snapshots/index.ts'
import { type TarItem, tar } from './tar-builder.ts'

const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }

/** Snapshots in a directory of their own, and layers made of tar items. */
export class LayerLab implements AsyncDisposable {
  readonly dir: string
  readonly layersDir: string
  readonly snapshots: Snapshots
  #count = 0

  constructor(dir: string, snapshots: Snapshots) {
    this.dir = dir
    this.layersDir = join(dir, 'l')
    this.snapshots = snapshots
  }

  async unpack(archive: Buffer, pack: (bytes: Buffer) => Buffer = gzipSync, maxBytes = 64 << 20): Promise<Unpacked> {
    const directory = `t${(this.#count++).toString(36)}`
    const blobPath = join(this.dir, `${directory}.blob`)
    writeFileSync(blobPath, pack(archive))
    const diffId = `sha256:${createHash('sha256').update(archive).digest('hex')}`
    return this.snapshots.unpack(ctx, { blobPath, directory, diffId, maxBytes })
  }

  commit(unpacked: Unpacked, parents: readonly string[]): Promise<void> {
    return this.snapshots.commit(ctx, unpacked, parents)
  }

  /** Unpacks and commits; a layer whose commit fails is removed. Its directory's name. */
  async layer(items: readonly TarItem[], parents: readonly string[] = []): Promise<string> {
    const unpacked = await this.unpack(tar(items))
    try {
      await this.commit(unpacked, parents)
    } catch (error) {
      await this.snapshots.removeLayer(unpacked.directory)
      throw error
    }
    return unpacked.directory
  }

  path(layer: string, below: string): string {
    return join(this.layersDir, layer, below)
  }

  isWhiteout(layer: string, below: string): boolean {
    const stat = lstatSync(this.path(layer, below))
    return stat.isCharacterDevice() && stat.rdev === 0
  }

  names(): string[] {
    return readdirSync(this.layersDir).sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.snapshots[Symbol.asyncDispose]()
    rmSync(this.dir, { recursive: true })
  }
}

/** Below /var/tmp: overlayfs takes no upper directory on some filesystems that /tmp may be. */
export async function openLayerLab(): Promise<LayerLab> {
  const dir = mkdtempSync('/var/tmp/condenser-snapshots-')
  return new LayerLab(dir, await openSnapshots({ layersDir: join(dir, 'l') }))
}
