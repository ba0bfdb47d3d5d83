/**
 * DNS messages on the wire (RFC 1035, RFC 6891), as far as a forwarder needs them: a question is read, answers are
 * walked over without being taken apart, so whatever a server says is passed on byte for byte.
 */
export const TYPE = {
  A: 1,
  NS: 2,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const
export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 } as const

export const CLASS_IN = 1
export const HEADER_BYTES = 12
const NAME_BYTES = 255

export const FLAG = {
  QR: 0x8000,
  OPCODE: 0x7800,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const
/** Of an OPT record, in its field of the time to live. */
export const DNSSEC_OK = 0x8000

export interface Query {
  readonly id: number
  readonly flags: number
  /** Lower case, without the last dot. A dot within a label is `\.`. */
  readonly name: string
  readonly type: number
  /** As it was asked, with type and class. */
  readonly question: Buffer
  /** Equal for queries that have the same answer. */
  readonly key: string
  readonly edns: { readonly sizeBytes: number; readonly dnssecOk: boolean } | undefined
}

/** A query that can be answered with an error only. */
export interface BadQuery {
  readonly id: number
  readonly flags: number
  readonly rcode: number
}

/** Undefined for what is no query at all, and gets no answer. */
export function parseQuery(message: Buffer): Query | BadQuery | undefined {
  if (message.length < HEADER_BYTES) return undefined
  const id = message.readUInt16BE(0)
  const flags = message.readUInt16BE(2)
  if ((flags & FLAG.QR) !== 0) return undefined
  const bad = (rcode: number) => ({ id, flags, rcode })
  if ((flags & FLAG.OPCODE) !== 0) return bad(RCODE.notImplemented)
  const [questions, answers, authorities] = [4, 6, 8].map((offset) => message.readUInt16BE(offset))
  if (questions !== 1 || answers !== 0 || authorities !== 0) return bad(RCODE.formatError)
  const read = readQuestion(message)
  const records = read && recordsAfter(message, HEADER_BYTES + read.question.length)
  if (read === undefined || records === undefined) return bad(RCODE.formatError)
  const { question, name } = read
  const type = question.readUInt16BE(question.length - 4)
  if (question.readUInt16BE(question.length - 2) !== CLASS_IN) return bad(RCODE.refused)
  if (type === TYPE.AXFR || type === TYPE.IXFR) return bad(RCODE.refused)
  const opt = records.find((record) => record.type === TYPE.OPT)
  const edns = opt && { sizeBytes: opt.class, dnssecOk: (opt.ttl & DNSSEC_OK) !== 0 }
  const kind = `${flags & (FLAG.RD | FLAG.AD | FLAG.CD)} ${edns === undefined ? '' : edns.dnssecOk}`
  return { id, flags, name, type, question, key: `${kind} ${lowerCase(question)}`, edns }
}

export function isBad(query: Query | BadQuery): query is BadQuery {
  return 'rcode' in query
}

/** A record that was stepped over; offsets are into the message. */
export interface WireRecord {
  readonly section: 'answer' | 'authority' | 'additional'
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly ttlOffset: number
  readonly dataOffset: number
  readonly dataBytes: number
}

/** What a server answered; undefined unless it answers exactly what was sent. */
export interface Response {
  readonly message: Buffer
  readonly rcode: number
  readonly truncated: boolean
  readonly records: readonly WireRecord[]
}

export function parseResponse(message: Buffer, sent: Buffer): Response | undefined {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== sent.readUInt16BE(0)) return undefined
  const flags = message.readUInt16BE(2)
  if ((flags & FLAG.QR) === 0 || (flags & FLAG.OPCODE) !== 0 || message.readUInt16BE(4) !== 1) return undefined
  const asked = readQuestion(sent)?.question
  const answered = readQuestion(message)?.question
  if (asked === undefined || answered === undefined || lowerCase(asked) !== lowerCase(answered)) return undefined
  const rcode = flags & 0xf
  const end = HEADER_BYTES + answered.length
  if ((flags & FLAG.TC) !== 0)
    return { message: withoutRecords(message.subarray(0, end)), rcode, truncated: true, records: [] }
  const records = recordsAfter(message, end)
  return records && { message, rcode, truncated: false, records }
}

/** A server may cut a message off in the middle of a record, if it says so. */
function withoutRecords(message: Buffer): Buffer {
  return Buffer.from(message).fill(0, 6, HEADER_BYTES)
}

/** `web` as a name on the wire. @throws {RangeError} for what cannot be one */
export function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'))
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)])
  const valid = labels.every(({ length }) => length > 0 && length < 64) && bytes.length <= NAME_BYTES
  if (!valid) throw new RangeError(`"${name}" is not a name of DNS`)
  return bytes
}

/** None for what cannot be a name, as the name of a container. */
export function encodedName(name: string): Buffer[] {
  try {
    return [encodeName(name)]
  } catch {
    return []
  }
}

/** The first question; its name must be spelled out, as there is nothing before it to point to. */
function readQuestion(message: Buffer): { question: Buffer; name: string } | undefined {
  const labels: string[] = []
  let offset = HEADER_BYTES
  for (;;) {
    const length = message[offset]
    if (length === undefined || length > 63) return undefined
    offset += 1 + length
    if (offset - HEADER_BYTES > NAME_BYTES || offset + (length === 0 ? 4 : 0) > message.length) return undefined
    if (length === 0) break
    labels.push(lowerCase(message.subarray(offset - length, offset)).replaceAll('.', '\\.'))
  }
  return { question: message.subarray(HEADER_BYTES, offset + 4), name: labels.join('.') }
}

/** All records from `offset` on; undefined if the message is malformed. */
export function recordsAfter(message: Buffer, offset: number): WireRecord[] | undefined {
  const records: WireRecord[] = []
  let at = offset
  for (const [index, section] of (['answer', 'authority', 'additional'] as const).entries()) {
    for (let left = message.readUInt16BE(6 + 2 * index); left > 0; left--) {
      const head = skipName(message, at)
      if (head === undefined || head + 10 > message.length) return undefined
      const dataBytes = message.readUInt16BE(head + 8)
      at = head + 10 + dataBytes
      if (at > message.length) return undefined
      records.push({
        section,
        type: message.readUInt16BE(head),
        class: message.readUInt16BE(head + 2),
        ttl: message.readUInt32BE(head + 4),
        ttlOffset: head + 4,
        dataOffset: head + 10,
        dataBytes,
      })
    }
  }
  return records
}

function skipName(message: Buffer, offset: number): number | undefined {
  let at = offset
  for (;;) {
    const length = message[at]
    if (length === undefined) return undefined
    if (length >= 0xc0) return at + 2
    if (length > 63) return undefined
    at += 1 + length
    if (length === 0) return at
  }
}

/** ASCII only, as names compare (RFC 4343). One character a byte. */
function lowerCase(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
