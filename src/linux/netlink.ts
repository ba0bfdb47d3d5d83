/** Netlink (netlink(7)): messages are built in memory, any number of them goes out in one send, answers match by sequence. */
import { check, errno, libc, SysError } from './libc.ts'

const socket = libc('int socket(int, int, int)')
const setsockopt = libc('int setsockopt(int, int, int, const void*, uint32_t)')
const send = libc('int64_t send(int, const void*, size_t, int)')
const recv = libc('int64_t recv(int, void*, size_t, int)')
const close = libc('int close(int)')

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_SNDBUFFORCE = 32
const MSG_DONTWAIT = 0x40
const SOL_NETLINK = 270
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11

const EAGAIN = 11

const HEADER_BYTES = 16
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

/** Less than any kernel's send buffer; more must be asked for. */
const SENT_UNASKED = 65_536
/** The kernel sends no more at once. */
const received = Buffer.alloc(65_536)

export const NLM_F = {
  REQUEST: 1,
  ACK: 4,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
} as const

/** What was asked, in words for the error should it fail: `add address 10.0.0.1`. */
export class NetlinkMessage {
  readonly operation: string
  #bytes = Buffer.alloc(512)
  #end = HEADER_BYTES

  constructor(operation: string, type: number, flags: number) {
    this.operation = operation
    this.#bytes.writeUInt16LE(type, 4)
    this.#bytes.writeUInt16LE(flags | NLM_F.REQUEST | NLM_F.ACK, 6)
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#end++] = value
    return this
  }

  u16(value: number): this {
    this.#reserve(2)
    this.#end = this.#bytes.writeUInt16LE(value, this.#end)
    return this
  }

  u32(value: number): this {
    this.#reserve(4)
    this.#end = this.#bytes.writeUInt32LE(value >>> 0, this.#end)
    return this
  }

  attribute(type: number, data: Uint8Array): this {
    this.u16(4 + data.length).u16(type)
    this.#reserve(data.length + 3)
    this.#bytes.set(data, this.#end)
    this.#end += aligned(data.length)
    return this
  }

  attributeU8(type: number, value: number): this {
    return this.attribute(type, Buffer.of(value))
  }

  attributeU32(type: number, value: number): this {
    const data = Buffer.alloc(4)
    data.writeUInt32LE(value >>> 0)
    return this.attribute(type, data)
  }

  /** As nfnetlink wants its numbers, in network byte order. */
  attributeU32BE(type: number, value: number): this {
    const data = Buffer.alloc(4)
    data.writeUInt32BE(value >>> 0)
    return this.attribute(type, data)
  }

  attributeText(type: number, text: string): this {
    return this.attribute(type, Buffer.from(`${text}\0`))
  }

  /** An attribute made of what `fill` adds. */
  nested(type: number, fill: (message: this) => void): this {
    const start = this.#end
    this.u16(0).u16(type | NLA_F_NESTED)
    fill(this)
    this.#bytes.writeUInt16LE(this.#end - start, start)
    return this
  }

  /** The finished message. */
  encode(sequence: number): Buffer {
    this.#bytes.writeUInt32LE(this.#end, 0)
    this.#bytes.writeUInt32LE(sequence, 8)
    return this.#bytes.subarray(0, this.#end)
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length + bytes)])
  }
}

/** One answer: what follows its netlink header. */
interface NetlinkReply {
  readonly type: number
  readonly payload: Buffer
}

interface Outcome {
  readonly operation: string
  readonly replies: NetlinkReply[]
  error: SysError | undefined
  ended: boolean
}

/** Belongs to the network namespace that its thread was in when it was opened. Calls block the thread, briefly. */
export class NetlinkSocket implements Disposable {
  readonly #fd: number
  #sequence = 0

  constructor(protocol: number) {
    this.#fd = check('open a netlink socket', socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol))
    const one = Buffer.of(1, 0, 0, 0)
    // Only make errors say more; kernels before 4.12 do without.
    setsockopt(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, one, 4)
    setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, one, 4)
  }

  /** Sends the messages in one go and waits for all of them. @throws {SysError} the first that failed */
  request(...messages: NetlinkMessage[]): void {
    for (const { error } of this.exchange(messages)) if (error !== undefined) throw error
  }

  /** The answers to one query or dump. @throws {SysError} */
  query(message: NetlinkMessage): readonly NetlinkReply[] {
    const [outcome] = this.exchange([message])
    if (outcome!.error !== undefined) throw outcome!.error
    return outcome!.replies
  }

  /** As `request`, but each message's error, if any, is part of the result. */
  exchange(messages: readonly NetlinkMessage[]): readonly Outcome[] {
    const outcomes = this.#send(messages)
    const all = [...outcomes.values()]
    while (all.some(({ ended }) => !ended)) this.#receive(outcomes, 0)
    return all
  }

  /**
   * Sends a batch of nfnetlink, its begin and end included. Kernels differ in which of these messages they answer, but
   * have worked all of them off, and answered, when the send returns. @throws {SysError} the first that failed
   */
  transact(messages: readonly NetlinkMessage[]): void {
    const outcomes = this.#send(messages)
    while (this.#receive(outcomes, MSG_DONTWAIT));
    for (const { error } of outcomes.values()) if (error !== undefined) throw error
  }

  [Symbol.dispose](): void {
    close(this.#fd)
  }

  #send(messages: readonly NetlinkMessage[]): ReadonlyMap<number, Outcome> {
    const outcomes = new Map<number, Outcome>()
    const parts = messages.map((message) => {
      const sequence = ++this.#sequence
      outcomes.set(sequence, { operation: message.operation, replies: [], error: undefined, ended: false })
      return padded(message.encode(sequence))
    })
    const bytes = Buffer.concat(parts)
    if (bytes.length > SENT_UNASKED) this.#makeRoom(bytes.length)
    check('send to netlink', send(this.#fd, bytes, bytes.length, 0))
    return outcomes
  }

  #makeRoom(bytes: number): void {
    const size = Buffer.alloc(4)
    size.writeInt32LE(bytes)
    check('enlarge the send buffer of netlink', setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, size, 4))
  }

  /** False if there was nothing to receive, and `flags` say not to wait. */
  #receive(outcomes: ReadonlyMap<number, Outcome>, flags: number): boolean {
    const length = Number(recv(this.#fd, received, received.length, flags))
    if (length < 0 && errno() === EAGAIN) return false
    check('receive from netlink', length)
    for (let offset = 0; offset + HEADER_BYTES <= length; ) {
      const message = received.subarray(offset, offset + received.readUInt32LE(offset))
      const outcome = outcomes.get(message.readUInt32LE(8))
      if (outcome !== undefined) settle(outcome, message)
      offset += aligned(message.length)
    }
    return true
  }
}

/** Attributes by type, from `bytes` on; nested ones are read the same way. */
export function readAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>()
  for (let offset = 0; offset + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(offset)
    if (length < 4) break
    attributes.set(bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK, bytes.subarray(offset + 4, offset + length))
    offset += aligned(length)
  }
  return attributes
}

function settle(outcome: Outcome, message: Buffer): void {
  const type = message.readUInt16LE(4)
  if (type !== NLMSG_ERROR && type !== NLMSG_DONE) {
    outcome.replies.push({ type, payload: Buffer.from(message.subarray(HEADER_BYTES)) })
    return
  }
  outcome.ended = true
  const code = message.length >= HEADER_BYTES + 4 ? message.readInt32LE(HEADER_BYTES) : 0
  if (code < 0) outcome.error = new SysError(`${outcome.operation}${reasonIn(message)}`, -code)
}

/** The kernel's own words, where it gives any. */
function reasonIn(message: Buffer): string {
  if ((message.readUInt16LE(6) & NLM_F_ACK_TLVS) === 0) return ''
  const attributes = readAttributes(message.subarray(HEADER_BYTES + 4 + HEADER_BYTES))
  const text = attributes.get(NLMSGERR_ATTR_MSG)
  return text === undefined ? '' : ` (${text.toString('utf8', 0, text.length - 1)})`
}

function padded(bytes: Buffer): Buffer {
  const missing = aligned(bytes.length) - bytes.length
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)])
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
