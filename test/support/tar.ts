/** One entry of an archive. What is absent is what a build would leave: owner root, mode 644 or 755, mtime 0. */
export interface TarEntry {
  readonly path: string
  readonly type?: 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo'
  readonly content?: Uint8Array | string
  /** Of links and symlinks. */
  readonly target?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds. */
  readonly mtime?: number
  /** Of devices. */
  readonly major?: number
  readonly minor?: number
  /** Further pax records, `SCHILY.xattr.user.x` and the like. */
  readonly pax?: Readonly<Record<string, string>>
}

const TYPE_FLAGS = { file: '0', link: '1', symlink: '2', character: '3', block: '4', directory: '5', fifo: '6' }
const BLOCK = 512

/** Writes a POSIX tar (pax) as image builders do. Takes any names, hostile ones as well. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(write), Buffer.alloc(2 * BLOCK)])
}

function write(entry: TarEntry): Buffer[] {
  const type = entry.type ?? 'file'
  const content = Buffer.from(entry.content ?? '')
  const isTooLong = (text: string) => Buffer.byteLength(text) > 100
  const records = {
    ...(isTooLong(entry.path) && { path: entry.path }),
    ...(isTooLong(entry.target ?? '') && { linkpath: entry.target! }),
    ...entry.pax,
  }
  const header = (flag: string, name: string, size: number) => {
    const block = Buffer.alloc(BLOCK)
    const octal = (value: number, offset: number, length: number) =>
      block.write(value.toString(8).padStart(length - 1, '0'), offset)
    block.write(name, 0, 100)
    octal(entry.mode ?? (type === 'directory' ? 0o755 : 0o644), 100, 8)
    octal(entry.uid ?? 0, 108, 8)
    octal(entry.gid ?? 0, 116, 8)
    octal(size, 124, 12)
    octal(entry.mtime ?? 0, 136, 12)
    block.write(`        ${flag}`, 148)
    block.write(entry.target ?? '', 157, 100)
    block.write('ustar\x0000', 257)
    octal(entry.major ?? 0, 329, 8)
    octal(entry.minor ?? 0, 337, 8)
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      148,
      7,
    )
    block[155] = 0x20
    return block
  }
  const extended = Buffer.from(Object.entries(records).map(paxRecord).join(''))
  return [
    ...(extended.length > 0 ? [header('x', 'pax', extended.length), padded(extended)] : []),
    header(TYPE_FLAGS[type], entry.path, content.length),
    padded(content),
  ]
}

/** `<length of all of it> key=value\n` */
function paxRecord([key, value]: [string, string]): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (Buffer.byteLength(`${length}${rest}`) !== length) length = Buffer.byteLength(`${length}${rest}`)
  return `${length}${rest}`
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}
