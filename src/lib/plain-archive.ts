import { type Duplex, pipeline, Readable } from 'node:stream'
import { detectCompression, MAGIC_BYTES } from './compression.ts'
import { messageOf, StatusError, systemCode } from './errors.ts'

const CHUNK_BYTES = 256 * 1024
/** 128 MiB, as for layers. */
const ZSTD_MAX_WINDOW_LOG = 27

/**
 * An archive as it comes from a file or a client, decompressed if it is compressed with gzip or zstd.
 *
 * @throws {StatusError} `invalid_argument` for damaged data
 */
export async function* plainArchive(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = archive[Symbol.asyncIterator]()
  const start: Uint8Array[] = []
  try {
    for (let length = 0; length < MAGIC_BYTES; ) {
      const { done, value } = await chunks.next()
      if (done) break
      start.push(value)
      length += value.length
    }
    const compression = detectCompression(Buffer.concat(start))
    const whole = chained(start, chunks)
    if (compression === 'none') yield* whole
    else yield* decompressed(whole, compression)
  } finally {
    await chunks.return?.()
  }
}

async function* chained(start: Iterable<Uint8Array>, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* start
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

async function* decompressed(
  compressed: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
): AsyncGenerator<Uint8Array> {
  const decompress = decompressor(compression)
  let failure: unknown
  // Its errors come out of the iteration below; the one of the source is kept, because that is the cause.
  pipeline(Readable.from(compressed), decompress, (error) => {
    failure = error
  })
  try {
    yield* decompress
  } catch (error) {
    const cause = failure ?? error
    if (!/^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(systemCode(cause) ?? '')) throw cause
    throw new StatusError('invalid_argument', `Damaged ${compression} data: ${messageOf(cause)}`, { cause })
  } finally {
    decompress.destroy()
  }
}

/** zlib is not needed at boot, and seldom later. */
function decompressor(compression: 'gzip' | 'zstd'): Duplex {
  const { constants, createGunzip, createZstdDecompress } = process.getBuiltinModule('node:zlib')
  const options = { chunkSize: CHUNK_BYTES }
  if (compression === 'gzip') return createGunzip(options)
  return createZstdDecompress({ ...options, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_MAX_WINDOW_LOG } })
}
