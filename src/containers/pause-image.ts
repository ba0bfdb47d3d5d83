import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Ctx } from '../lib/ctx.ts'
import { hasCode } from '../lib/errors.ts'
import { formatFileHeader } from '../lib/tar/format-header.ts'
import { padding } from '../lib/tar/header.ts'
import { findPause } from '../runtime/index.ts'
import type { Deps } from './deps.ts'

/** In the image. */
const PAUSE = '/pause'
const END = Buffer.alloc(1024)
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar'

let known: { readonly file: string; readonly reference: string } | undefined
/** Those under way, by reference. */
const loading = new Map<string, Promise<void>>()

/**
 * The image of infra containers, made from this host's own program where it is not there yet: nothing is pulled.
 * @throws {StatusError} `failed_precondition` if the program is not installed
 */
export async function ensurePauseImage(
  ctx: Ctx,
  { images, runtime }: Pick<Deps, 'images' | 'runtime'>,
): Promise<string> {
  const path = findPause()
  const reference = await referenceOf(path)
  try {
    images.get(reference)
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error
    const load = loading.get(reference) ?? loadImage(ctx, images, reference, { path, arch: runtime.host.architecture })
    loading.set(reference, load)
    await load.finally(() => loading.delete(reference))
  }
  return reference
}

/** By what is in the program; which is read again when its file is another one, as after an upgrade. */
async function referenceOf(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path)
  const file = [path, ino, size, mtimeMs, ctimeMs].join(' ')
  if (known?.file !== file) {
    known = { file, reference: `localhost/condenser-pause:${hexOf(await readFile(path)).slice(0, 12)}` }
  }
  return known.reference
}

async function loadImage(
  ctx: Ctx,
  images: Deps['images'],
  name: string,
  { path, arch }: { readonly path: string; readonly arch: string },
): Promise<void> {
  const layout = pauseLayout(await readFile(path), arch)
  for await (const _progress of images.load(ctx, Readable.from(layout), { name })) {
    // Only its end matters here.
  }
}

/** An OCI image layout (image-spec, image-layout.md) with one program in one layer, as a tar. */
function pauseLayout(program: Buffer, architecture: string): Buffer[] {
  const layer = Buffer.concat([...file(PAUSE.slice(1), program, 0o755), END])
  const config = json({
    os: 'linux',
    architecture,
    config: { Entrypoint: [PAUSE, '-P'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${hexOf(layer)}`] },
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(CONFIG, config),
    layers: [descriptor(LAYER, layer)],
  })
  const index = json({ schemaVersion: 2, manifests: [descriptor(MANIFEST, manifest)] })
  const blobs = [layer, config, manifest].flatMap((blob) => file(`blobs/sha256/${hexOf(blob)}`, blob))
  return [...file('oci-layout', json({ imageLayoutVersion: '1.0.0' })), ...blobs, ...file('index.json', index), END]
}

function file(path: string, data: Buffer, mode = 0o644): Buffer[] {
  return [formatFileHeader(path, data.length, mode), data, Buffer.alloc(padding(data.length))]
}

function descriptor(mediaType: string, blob: Buffer) {
  return { mediaType, digest: `sha256:${hexOf(blob)}`, size: blob.length }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function hexOf(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
