import { addressText, type Family } from '../../src/lib/ip-address.ts'
import { NetlinkMessage, NLM_F, readAttributes } from '../../src/linux/netlink.ts'
import { commit, openNetfilterSocket, readGeneration } from '../../src/linux/nftables.ts'

const NFNL_SUBSYS_NFTABLES = 10
const GETTABLE = 1
const DELTABLE = 2
const GETSETELEM = 13
const NFPROTO_UNSPEC = 0
const NFPROTO = { 4: 2, 6: 10 } as const
/** Attributes, by their place in the enums of linux/netfilter/nf_tables.h. */
const TABLE_NAME = 1
const ELEMENTS = { TABLE: 1, SET: 2, LIST: 3 } as const
const ELEMENT = { KEY: 1, DATA: 2 } as const
const DATA_VALUE = 1

/** The daemon's tables in our network namespace and what they publish, as the kernel has them, in sorted lines. */
export function portTables(): string[] {
  return [...portTablesOf(4), ...portTablesOf(6).map((line) => `ip6 ${line}`)]
}

function portTablesOf(family: Family): string[] {
  using socket = openNetfilterSocket()
  const tables = socket
    .query(message(GETTABLE, NLM_F.DUMP, NFPROTO[family]))
    .map(({ payload }) => text(readAttributes(payload.subarray(4)).get(TABLE_NAME)!))
    .filter((name) => name.startsWith('condenser-'))
  const ports = tables.flatMap((table) =>
    ['any', 'addr'].flatMap((map) =>
      socket
        .query(
          message(GETSETELEM, NLM_F.DUMP, NFPROTO[family])
            .attributeText(ELEMENTS.TABLE, table)
            .attributeText(ELEMENTS.SET, map),
        )
        .flatMap(({ payload }) => readList(readAttributes(payload.subarray(4)).get(ELEMENTS.LIST)))
        .map((element) => `${table} ${describe(readAttributes(element))}`),
    ),
  )
  return [...tables, ...ports].sort()
}

/** Changes nf_tables of our network namespace as another program would. */
export function changeTables(...messages: NetlinkMessage[]): void {
  using socket = openNetfilterSocket()
  commit(socket, messages, readGeneration(socket))
}

/** As `nft flush ruleset` does. */
export function flushRuleset(): NetlinkMessage {
  return message(DELTABLE, 0, NFPROTO_UNSPEC)
}

/** `127.0.0.1:8080/6 to 10.166.0.1:80`, `[::1]:8080/6 to [fd00::2]:80`; without an address: all. */
function describe(element: Map<number, Buffer>): string {
  const [key, data] = [ELEMENT.KEY, ELEMENT.DATA].map((type) => readAttributes(element.get(type)!).get(DATA_VALUE)!)
  const [port, protocol] = [key!.readUInt16BE(key!.length - 4), key![key!.length - 8]]
  const [on, to] = [key!.subarray(0, -8), data!.subarray(0, -4)].map((bytes) =>
    bytes.length === 16 ? `[${addressText(bytes)}]` : bytes.length === 4 ? addressText(bytes) : '',
  )
  return `${on}:${port}/${protocol} to ${to}:${data!.readUInt16BE(data!.length - 4)}`
}

/** Attributes that are all of one type. */
function readList(bytes: Buffer | undefined): Buffer[] {
  const elements: Buffer[] = []
  for (let offset = 0; bytes !== undefined && offset + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(offset)
    elements.push(bytes.subarray(offset + 4, offset + length))
    offset += (length + 3) & ~3
  }
  return elements
}

function message(type: number, flags: number, family: number): NetlinkMessage {
  return new NetlinkMessage('nf_tables', (NFNL_SUBSYS_NFTABLES << 8) | type, flags).u8(family).u8(0).u16(0)
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.length - 1)
}
