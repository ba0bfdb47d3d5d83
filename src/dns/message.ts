/**
 * DNS messages on the wire (RFC 1035, RFC 6891), as far as a forwarder needs them: a question is read, answers are
 * walked over without being taken apart, so whatever a server says is passed on byte for byte.
 */
export const TYPE = { A: 1, SOA: 6, PTR: 12, AAAA: 28, OPT: 41, IXFR: 251, AXFR: 252, ANY: 255 } as const
export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 } as const

const CLASS_IN = 1
const HEADER_BYTES = 12
const NAME_BYTES = 255
/** What is sent without fragments everywhere (DNS Flag Day 2020), and asked for. */
const EDNS_BYTES = 1232
const PLAIN_BYTES = 512

const QR = 0x8000
const OPCODE = 0x7800
const AA = 0x0400
const TC = 0x0200
const RD = 0x0100
const RA = 0x0080
const AD = 0x0020
const CD = 0x0010
const DNSSEC_OK = 0x8000

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
  if ((flags & QR) !== 0) return undefined
  const bad = (rcode: number) => ({ id, flags, rcode })
  if ((flags & OPCODE) !== 0) return bad(RCODE.notImplemented)
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
  const kind = `${flags & (RD | AD | CD)} ${edns === undefined ? '' : edns.dnssecOk}`
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
  if ((flags & QR) === 0 || (flags & OPCODE) !== 0 || message.readUInt16BE(4) !== 1) return undefined
  const asked = readQuestion(sent)?.question
  const answered = readQuestion(message)?.question
  if (asked === undefined || answered === undefined || lowerCase(asked) !== lowerCase(answered)) return undefined
  const rcode = flags & 0xf
  const end = HEADER_BYTES + answered.length
  if ((flags & TC) !== 0)
    return { message: withoutRecords(message.subarray(0, end)), rcode, truncated: true, records: [] }
  const records = recordsAfter(message, end)
  return records && { message, rcode, truncated: false, records }
}

/** A server may cut a message off in the middle of a record, if it says so. */
function withoutRecords(message: Buffer): Buffer {
  return Buffer.from(message).fill(0, 6, HEADER_BYTES)
}

/** The question as it goes to another server. */
export function upstreamQuery({ flags, question, edns }: Query, id: number): Buffer {
  return message(id, flags & (RD | AD | CD), question, [], edns)
}

export interface Answer {
  readonly type: number
  readonly ttl: number
  readonly data: Buffer
}

/** An answer of our own. */
export function reply(query: Query, rcode: number, answers: readonly Answer[] = []): Buffer {
  const authority = rcode === RCODE.ok || rcode === RCODE.noSuchName ? AA : 0
  return message(query.id, QR | RA | authority | (query.flags & (RD | CD)) | rcode, query.question, answers, query.edns)
}

/** To what could not be read: a header, which is never longer than what came. */
export function errorReply({ id, flags, rcode }: BadQuery): Buffer {
  return message(id, QR | RA | (flags & (OPCODE | RD | CD)) | rcode, undefined, [], undefined)
}

/** A copy of an answer of another server, as the answer to this query: its id, its spelling of the name. */
export function readdress(query: Query, message: Buffer): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(query.id, 0)
  query.question.copy(copy, HEADER_BYTES)
  return copy
}

/** What the client said that it takes; more is sent as a truncated answer, which makes it ask again by TCP. */
export function fitUdp(query: Query, response: Buffer): Buffer {
  const limit = query.edns === undefined ? PLAIN_BYTES : clamp(query.edns.sizeBytes, PLAIN_BYTES, EDNS_BYTES)
  if (response.length <= limit) return response
  return message(query.id, response.readUInt16BE(2) | TC, query.question, [], query.edns)
}

/** EDNS is between neighbours: the size that another server takes is not ours. */
export function replaceEdnsSize({ message, records }: Response): void {
  const opt = records.find(({ type }) => type === TYPE.OPT)
  if (opt !== undefined) message.writeUInt16BE(EDNS_BYTES, opt.ttlOffset - 2)
}

/** `web` as a name on the wire. @throws {RangeError} for what cannot be one */
export function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'))
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)])
  const valid = labels.every(({ length }) => length > 0 && length < 64) && bytes.length <= NAME_BYTES
  if (!valid) throw new RangeError(`"${name}" is not a name of DNS`)
  return bytes
}

function message(
  id: number,
  flags: number,
  question: Buffer | undefined,
  answers: readonly Answer[],
  edns: Query['edns'],
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  const counts = [question === undefined ? 0 : 1, answers.length, 0, edns === undefined ? 0 : 1]
  for (const [index, value] of [id, flags, ...counts].entries()) header.writeUInt16BE(value, 2 * index)
  return Buffer.concat([
    header,
    ...(question === undefined ? [] : [question]),
    ...answers.flatMap(encodeAnswer),
    ...(edns === undefined ? [] : [encodeOpt(edns.dnssecOk)]),
  ])
}

/** The name is that of the question. */
function encodeAnswer({ type, ttl, data }: Answer): Buffer[] {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(CLASS_IN, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return [head, data]
}

function encodeOpt(dnssecOk: boolean): Buffer {
  const record = Buffer.alloc(11)
  record.writeUInt16BE(TYPE.OPT, 1)
  record.writeUInt16BE(EDNS_BYTES, 3)
  record.writeUInt16BE(dnssecOk ? DNSSEC_OK : 0, 7)
  return record
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
function recordsAfter(message: Buffer, offset: number): WireRecord[] | undefined {
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

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
