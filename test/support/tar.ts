import { type TarItem, tar as writeTar } from './tar-builder.ts'

/** One entry of an archive. What is absent is what a build would leave: owner root, mode 644 or 755, mtime 0. */
export interface TarEntry {
  readonly path: string
  readonly type?: keyof typeof TYPE_FLAGS
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

const TYPE_FLAGS = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const

/** Writes a POSIX tar (pax) as image builders do. For what no builder would write there is tar-builder. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return writeTar(entries.map(toItem))
}

function toItem({ path, type = 'file', content = '', target = '', pax, ...rest }: TarEntry): TarItem {
  const isTooLong = (text: string) => Buffer.byteLength(text) > 100
  const records = Object.entries({
    ...(isTooLong(path) && { path }),
    ...(isTooLong(target) && { linkpath: target }),
    ...pax,
  })
  return {
    mode: type === 'directory' ? 0o755 : 0o644,
    mtime: 0,
    ...rest,
    path: asBytes(path),
    link: asBytes(target),
    type: TYPE_FLAGS[type],
    data: Buffer.from(content),
    ...(records.length > 0 && { pax: records.map(([key, value]) => [key, Buffer.from(value)] as const) }),
  }
}

/** The builder takes one character a byte. */
function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}
