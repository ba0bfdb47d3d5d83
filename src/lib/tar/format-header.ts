import { BLOCK_BYTES } from './header.ts'

const MAX_PATH_BYTES = 100
/** From here on a size does not fit eleven octal digits. */
const OCTAL_LIMIT = 8 ** 11

/**
 * The header of a regular file (POSIX.1-1988, ustar), of root, mode 644 and time 0; sizes from 8 GiB on in base 256 as GNU
 * writes them. After it come the data and `padding(size)` zeros; after the last file two blocks of zeros.
 */
export function formatFileHeader(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new RangeError(`"${path}" does not fit a tar header`)
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write(path, 0)
  block.write('0000644\x000000000\x000000000\0', 100, 'latin1')
  if (size < OCTAL_LIMIT) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  else {
    block[124] = 0x80
    block.writeBigUInt64BE(BigInt(size), 128)
  }
  block.write('00000000000\0', 136, 'latin1')
  block.write('        0', 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
