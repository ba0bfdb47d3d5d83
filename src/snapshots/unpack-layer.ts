import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { StatusError } from '../lib/errors.ts'
import { TarParser } from '../lib/tar/parser.ts'
import { AT_FDCWD, check, displayPath, lchownat, mkdirat, O_PATH, openat } from '../linux/at-calls.ts'
import { readArchive } from './decompress.ts'
import { layerError } from './layer-error.ts'
import { LayerWriter } from './layer-writer.ts'
import { removeTree } from './remove-tree.ts'
import type { Unpacked } from './unpacked.ts'

export interface UnpackInput {
  /** Absolute. */
  readonly blobPath: string
  /** Name below the layers' directory, made anew. */
  readonly directory: string
  /** Digest of the uncompressed archive. */
  readonly diffId: string
  /** Disk space that the layer may take. */
  readonly maxBytes: number
}

/** A decompressed archive may have this much that never reaches the disk: headers, padding, what follows the end. */
const STREAM_SLACK_BYTES = 64 << 20

/**
 * Unpacks a layer into a new directory in the working directory. Of a failure nothing is left.
 *
 * @param onProgress gets the compressed bytes read so far
 * @throws {StatusError} `invalid_argument` for a bad archive, `resource_exhausted` for one too large
 */
export async function unpackLayer(
  input: UnpackInput,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<Unpacked> {
  const { directory, diffId } = input
  removeTree(AT_FDCWD, directory)
  check(`mkdir ${directory}`, mkdirat(AT_FDCWD, directory, 0o755))
  try {
    const root = check(`open ${directory}`, openat(AT_FDCWD, directory, O_PATH | constants.O_DIRECTORY))
    check('chown', lchownat(root, '.', 0, 0))
    using writer = new LayerWriter(root, input.maxBytes)
    try {
      await writeArchive(input, writer, signal, onProgress)
      return writer.finish(directory)
    } catch (error) {
      throw layerError(atEntry(diffId, writer.currentPath), error)
    }
  } catch (error) {
    removeTree(AT_FDCWD, directory)
    throw error
  }
}

async function writeArchive(
  { blobPath, diffId, maxBytes }: UnpackInput,
  writer: LayerWriter,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const parser = new TarParser(writer)
  const hash = createHash('sha256')
  let streamed = 0
  for await (const chunk of readArchive(blobPath, signal, onProgress)) {
    streamed += chunk.length
    if (streamed > maxBytes + STREAM_SLACK_BYTES) {
      throw new StatusError('resource_exhausted', `It unpacks to more than the ${maxBytes} bytes that it may take`)
    }
    hash.update(chunk)
    parser.push(chunk)
  }
  parser.finish()
  const actual = `sha256:${hash.digest('hex')}`
  if (actual !== diffId) throw new StatusError('invalid_argument', `Its content has the diffId ${actual}`)
}

function atEntry(diffId: string, path: string): string {
  const at = path === '' ? '' : `, at ${JSON.stringify(displayPath(path.slice(0, 300)))}`
  return `Cannot unpack layer ${diffId}${at}`
}
