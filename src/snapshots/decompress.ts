import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { type Duplex, PassThrough, type Readable } from 'node:stream'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { StatusError, systemCode } from '../lib/errors.ts'

/** Large chunks: with zlib's own 16 KiB a layer takes twice as long. */
const CHUNK_BYTES = 256 * 1024
const READ_BYTES = 1 << 20
/** Several chunks ahead, so that decompression (in the thread pool) and writing seldom wait for each other. */
const OPTIONS = { chunkSize: CHUNK_BYTES, readableHighWaterMark: 4 * CHUNK_BYTES }

export type Compression = 'gzip' | 'zstd' | 'none'

/** By the first bytes, whatever the media type says. */
export function detectCompression(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip'
  const magic = start.length < 4 ? 0 : start.readUInt32LE(0)
  // A zstd archive may begin with a skippable frame (RFC 8878, 3.1.2).
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd'
  return 'none'
}

/** The file, and what turns it into a tar archive. */
export function openArchive(path: string): { compressed: Readable; decompress: Duplex } {
  const compression = detectCompression(firstBytes(path))
  const compressed = createReadStream(path, { highWaterMark: READ_BYTES })
  switch (compression) {
    case 'gzip':
      return { compressed, decompress: createGunzip(OPTIONS) }
    case 'zstd':
      return { compressed, decompress: createZstdDecompress({ ...OPTIONS, params: ZSTD_PARAMS }) }
    case 'none':
      return { compressed, decompress: new PassThrough({ highWaterMark: READ_BYTES }) }
  }
}

/** At most 128 MiB of window: what `zstd --ultra` makes without `--long`. */
const ZSTD_PARAMS = { [constants.ZSTD_d_windowLogMax]: 27 }

/** Damaged compressed data is the archive's fault. */
export function asDamaged(error: unknown): unknown {
  const code = systemCode(error)
  if (code === undefined || !/^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(code)) return error
  return new StatusError('invalid_argument', `Damaged compressed data: ${(error as Error).message}`, { cause: error })
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(4)
    return bytes.subarray(0, readSync(file, bytes, 0, 4, 0))
  } finally {
    closeSync(file)
  }
}
