export type Compression = 'gzip' | 'zstd' | 'none'

/** Bytes that `detectCompression` wants to see. */
export const MAGIC_BYTES = 4

/** By the first bytes, whatever a name or media type says. */
export function detectCompression(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip'
  const magic = start.length < MAGIC_BYTES ? 0 : start.readUInt32LE(0)
  // A zstd archive may begin with a skippable frame (RFC 8878, 3.1.2).
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd'
  return 'none'
}
