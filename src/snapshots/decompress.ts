import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { addAbortSignal, type Duplex, PassThrough } from 'node:stream'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { type Compression, detectCompression, MAGIC_BYTES } from '../lib/compression.ts'
import { messageOf, StatusError, systemCode } from '../lib/errors.ts'

/** Large chunks: with zlib's own 16 KiB a layer takes twice as long. */
const CHUNK_BYTES = 256 * 1024
const READ_BYTES = 1 << 20
/** Several chunks ahead, so that decompression (in the thread pool) and writing seldom wait for each other. */
const OPTIONS = { chunkSize: CHUNK_BYTES, readableHighWaterMark: 4 * CHUNK_BYTES }

/**
 * The plain archive in a file, in chunks; what follows the end of the compressed data is not read.
 *
 * @param onProgress gets the bytes read from the file so far
 * @throws {StatusError} `invalid_argument` for damaged data, `internal` if the file cannot be read
 */
export async function* readArchive(
  path: string,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let compression: Compression
  try {
    compression = detectCompression(firstBytes(path))
  } catch (error) {
    throw unreadable(path, error)
  }
  const file = createReadStream(path, { highWaterMark: READ_BYTES })
  const archive = addAbortSignal(signal, decompressor(compression))
  file.on('data', () => onProgress(file.bytesRead))
  file.on('error', (error) => archive.destroy(unreadable(path, error)))
  try {
    yield* file.pipe(archive)
  } catch (error) {
    throw isDamage(error)
      ? new StatusError('invalid_argument', `Damaged ${compression} data: ${messageOf(error)}`, { cause: error })
      : error
  } finally {
    file.destroy()
  }
}

function decompressor(compression: Compression): Duplex {
  switch (compression) {
    case 'gzip':
      return createGunzip(OPTIONS)
    case 'zstd':
      return createZstdDecompress({ ...OPTIONS, params: ZSTD_PARAMS })
    case 'none':
      return new PassThrough({ highWaterMark: READ_BYTES })
  }
}

/** At most 128 MiB of window: what `zstd --ultra` makes without `--long`. */
const ZSTD_PARAMS = { [constants.ZSTD_d_windowLogMax]: 27 }

function isDamage(error: unknown): boolean {
  return /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(systemCode(error) ?? '')
}

function unreadable(path: string, error: unknown): StatusError {
  return new StatusError('internal', `Cannot read blob ${path}: ${messageOf(error)}`, { cause: error })
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(MAGIC_BYTES)
    return bytes.subarray(0, readSync(file, bytes, 0, MAGIC_BYTES, 0))
  } finally {
    closeSync(file)
  }
}
