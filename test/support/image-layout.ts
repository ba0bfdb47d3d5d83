import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Digest } from '../../src/model/digest.ts'

/** Paths and what they hold. */
export type LayerFiles = Readonly<Record<string, string | Buffer>>

export interface TestImage {
  /** `org.opencontainers.image.ref.name` */
  readonly name?: string
  readonly layers: readonly LayerFiles[]
  readonly config?: Readonly<Record<string, unknown>>
  readonly architecture?: string
  /** Instead of the right diffIds. */
  readonly diffIds?: readonly string[]
  /** Put into an index of its own, together with these for other platforms. */
  readonly variants?: readonly Omit<TestImage, 'variants' | 'name'>[]
}

export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
}

const OCI = 'application/vnd.oci.image'

/** An OCI image layout in a directory of its own; removed with it. */
export class ImageLayout implements AsyncDisposable {
  readonly dir: string

  private constructor(dir: string) {
    this.dir = dir
  }

  static async make(...images: readonly TestImage[]): Promise<ImageLayout> {
    const layout = new ImageLayout(await mkdtemp('/var/tmp/condenser-layout-'))
    await mkdir(join(layout.dir, 'blobs/sha256'), { recursive: true })
    await writeFile(join(layout.dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    const manifests = await Promise.all(images.map((image) => layout.#addImage(image)))
    await writeFile(join(layout.dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
    return layout
  }

  blob(digest: Digest): string {
    return join(this.dir, 'blobs/sha256', digest.slice('sha256:'.length))
  }

  /** The layout as a tar stream. */
  tar(): AsyncIterable<Uint8Array> {
    const file = `${this.dir}.tar`
    execFileSync('tar', ['-C', this.dir, '-cf', file, '.'])
    return createReadStream(file)
  }

  async add(bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const digest = sha256(bytes)
    await writeFile(this.blob(digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true })
    await rm(`${this.dir}.tar`, { force: true })
  }

  async #addImage(image: TestImage) {
    const annotations = image.name === undefined ? {} : { 'org.opencontainers.image.ref.name': image.name }
    if (image.variants === undefined) return { ...(await this.#addManifest(image)), annotations }
    const manifests = await Promise.all([image, ...image.variants].map((variant) => this.#addManifest(variant)))
    return { ...(await this.#addJson({ schemaVersion: 2, manifests }, `${OCI}.index.v1+json`)), annotations }
  }

  async #addManifest({ layers, config = {}, architecture = 'amd64', diffIds }: TestImage) {
    const tars = await Promise.all(layers.map(layerTar))
    const document = {
      os: 'linux',
      architecture,
      config,
      rootfs: { type: 'layers', diff_ids: diffIds ?? tars.map(sha256) },
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: await this.#addJson(document, `${OCI}.config.v1+json`),
      layers: await Promise.all(tars.map((tar) => this.add(gzipSync(tar, { level: 1 }), `${OCI}.layer.v1.tar+gzip`))),
    }
    const descriptor = await this.#addJson(manifest, `${OCI}.manifest.v1+json`)
    return { ...descriptor, platform: { os: 'linux', architecture } }
  }

  #addJson(document: unknown, mediaType: string): Promise<Descriptor> {
    return this.add(Buffer.from(JSON.stringify(document)), mediaType)
  }
}

async function layerTar(files: LayerFiles): Promise<Buffer> {
  const dir = await mkdtemp('/var/tmp/condenser-layer-')
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await writeFile(join(dir, path), content)
    }
    const names = [...new Set(Object.keys(files).map((path) => path.split('/')[0]!))].sort()
    const fixed = [
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--mtime=@1',
      '--format=pax',
      '--pax-option=delete=atime,delete=ctime',
    ]
    return execFileSync('tar', ['-C', dir, ...fixed, '-cf', '-', ...names], { maxBuffer: 1 << 30 })
  } finally {
    await rm(dir, { recursive: true })
  }
}

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}
