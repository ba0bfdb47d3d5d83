/** Writes tar archives byte by byte, also ones that no tar program would. Paths are byte strings: one character a byte. */
export interface TarItem {
  readonly path: string
  /** The type flag; `0` (a file) by default. */
  readonly type?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly link?: string
  readonly data?: Buffer | string
  /** In the header; the data's length by default. */
  readonly size?: number
  readonly major?: number
  readonly minor?: number
  /** Makes a pax header before the entry. */
  readonly pax?: Readonly<Record<string, string | Buffer>> | readonly (readonly [string, string | Buffer])[]
  readonly magic?: 'ustar' | 'gnu' | 'v7'
  /** Patches the header before its checksum is made. */
  readonly patch?: (header: Buffer) => void
  /** Extension blocks between header and data (GNU sparse). */
  readonly extension?: Buffer
}

export const file = (path: string, data: Buffer | string = '', more: Partial<TarItem> = {}): TarItem => ({
  path,
  data,
  ...more,
})
export const directory = (path: string, more: Partial<TarItem> = {}): TarItem => ({
  path,
  type: '5',
  mode: 0o755,
  ...more,
})
export const symlink = (path: string, link: string, more: Partial<TarItem> = {}): TarItem => ({
  path,
  type: '2',
  mode: 0o777,
  link,
  ...more,
})
export const hardLink = (path: string, link: string): TarItem => ({ path, type: '1', link })

const BLOCK = 512

export function tar(items: readonly TarItem[], trailer: Buffer = Buffer.alloc(2 * BLOCK)): Buffer {
  return Buffer.concat([...items.map(tarItem), trailer])
}

export function tarItem(item: TarItem): Buffer {
  const data = Buffer.from(item.data ?? '')
  const parts: Buffer[] = []
  if (item.pax !== undefined) parts.push(tarItem({ path: 'PaxHeader', type: 'x', data: paxRecords(item.pax) }))
  parts.push(header(item, data.length), item.extension ?? Buffer.alloc(0), data, padding(data.length))
  return Buffer.concat(parts)
}

/** GNU's long path (`L`) or link (`K`), to go before an entry. */
export function gnuLong(type: 'L' | 'K', text: string): TarItem {
  return { path: '././@LongLink', type, data: Buffer.from(`${text}\0`, 'latin1'), magic: 'gnu' }
}

export function paxRecords(records: NonNullable<TarItem['pax']>): Buffer {
  const entries = Array.isArray(records) ? (records as [string, string | Buffer][]) : Object.entries(records)
  return Buffer.concat(entries.map(([key, value]) => paxRecord(key, value)))
}

function paxRecord(key: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const rest = key.length + bytes.length + 3
  let length = rest + 1
  while (length !== rest + String(length).length) length = rest + String(length).length
  return Buffer.concat([Buffer.from(`${length} ${key}=`), bytes, Buffer.from('\n')])
}

function header(item: TarItem, dataBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(item.path, 0, 100, 'latin1')
  field(block, 100, 8, item.mode ?? 0o644)
  field(block, 108, 8, item.uid ?? 0)
  field(block, 116, 8, item.gid ?? 0)
  field(block, 124, 12, item.size ?? dataBytes)
  field(block, 136, 12, item.mtime ?? 1_000_000_000)
  block.write(item.type ?? '0', 156, 'latin1')
  block.write(item.link ?? '', 157, 100, 'latin1')
  if (item.magic === 'gnu') block.write('ustar  \0', 257, 'latin1')
  else if (item.magic !== 'v7') block.write('ustar\x0000', 257, 'latin1')
  if (item.magic !== 'v7') {
    field(block, 329, 8, item.major ?? 0)
    field(block, 337, 8, item.minor ?? 0)
  }
  item.patch?.(block)
  block.fill(0x20, 148, 156)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return block
}

/** Octal where it fits, else base-256. */
export function field(block: Buffer, at: number, length: number, value: number): void {
  const octal = value >= 0 ? value.toString(8) : ''
  if (value >= 0 && octal.length < length) block.write(`${octal.padStart(length - 1, '0')}\0`, at, 'latin1')
  else {
    let rest = BigInt(value)
    for (let i = at + length - 1; i >= at; i--) {
      block[i] = Number(rest & 0xffn)
      rest >>= 8n
    }
    block[at]! = value < 0 ? 0xff : block[at]! | 0x80
  }
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK)
}
