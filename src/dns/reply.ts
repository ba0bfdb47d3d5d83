/** Messages that we send (RFC 1035, RFC 6891): questions to other servers, answers to clients. */
import {
  type BadQuery,
  CLASS_IN,
  DNSSEC_OK,
  FLAG,
  HEADER_BYTES,
  type Query,
  RCODE,
  type Response,
  recordsAfter,
  TYPE,
  type WireRecord,
} from './message.ts'

/** What is sent without fragments everywhere (DNS Flag Day 2020), and asked for. */
const EDNS_BYTES = 1232
const PLAIN_BYTES = 512
/** Its length is two bytes before it (RFC 1035 4.2.2). */
const TCP_BYTES = 0xffff

const OPT_BYTES = 11
/** A pointer to the name in the question. */
const ASKED_NAME = Buffer.from([0xc0, HEADER_BYTES])
const NO_RECORDS = { answers: 0, authorities: 0, bytes: [] }

/** The question as it goes to another server. */
export function upstreamQuery({ flags, question, edns }: Query, id: number): Buffer {
  return message(id, flags & (FLAG.RD | FLAG.AD | FLAG.CD), question, NO_RECORDS, edns)
}

export interface Answer {
  readonly type: number
  readonly ttl: number
  readonly data: Buffer
}

export function addressAnswer(data: Buffer, ttl: number): Answer {
  return { type: data.length === 4 ? TYPE.A : TYPE.AAAA, ttl, data }
}

export function ofType(type: number, answers: readonly Answer[]): readonly Answer[] {
  return type === TYPE.ANY ? answers : answers.filter((answer) => answer.type === type)
}

/** In an order that changes, so that those of one name share the work. */
export function inTurn(answers: readonly Answer[]): readonly Answer[] {
  const start = Math.floor(Math.random() * answers.length)
  return [...answers.slice(start), ...answers.slice(0, start)]
}

/** A record of another name than was asked for: of the zone that this one is in. */
export interface ZoneRecord extends Answer {
  /** The name, on the wire. */
  readonly owner: Buffer
}

/** An answer of our own. A negative one may be kept if it says for how long: by an SOA (RFC 2308). */
export function reply(query: Query, rcode: number, answers: readonly Answer[] = [], soa?: ZoneRecord): Buffer {
  const authoritative = rcode === RCODE.ok || rcode === RCODE.noSuchName ? FLAG.AA : 0
  const flags = FLAG.QR | FLAG.RA | authoritative | (query.flags & (FLAG.RD | FLAG.CD)) | rcode
  const bytes = answers.map((answer) => encodeRecord(ASKED_NAME, answer))
  if (soa !== undefined) bytes.push(encodeRecord(soa.owner, soa))
  const records = { answers: answers.length, authorities: soa === undefined ? 0 : 1, bytes }
  return message(query.id, flags, query.question, records, query.edns)
}

/** To what could not be read: a header, which is never longer than what came. */
export function errorReply({ id, flags, rcode }: BadQuery): Buffer {
  return message(
    id,
    FLAG.QR | FLAG.RA | (flags & (FLAG.OPCODE | FLAG.RD | FLAG.CD)) | rcode,
    undefined,
    NO_RECORDS,
    undefined,
  )
}

/** A copy of an answer of another server, as the answer to this query: its id, its spelling of the name. */
export function readdress(query: Query, message: Buffer): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(query.id, 0)
  query.question.copy(copy, HEADER_BYTES)
  return copy
}

/**
 * No more than the client takes by that transport. Additional records go first, which is not worth a word; if others
 * go, the answer is said to be truncated, which makes clients ask again by TCP. Those that do not (musl before 1.2.4)
 * have what fits.
 */
export function fit(query: Query, response: Buffer, transport: 'udp' | 'tcp'): Buffer {
  const limit = transport === 'tcp' ? TCP_BYTES : udpLimit(query.edns)
  if (response.length <= limit) return response
  const room = limit - (query.edns === undefined ? 0 : OPT_BYTES)
  const start = HEADER_BYTES + query.question.length
  const needed = recordsAfter(response, start)?.filter(({ section }) => section !== 'additional')
  const kept = needed?.filter((record) => endOf(record) <= room) ?? []
  const last = kept.at(-1)
  const answers = kept.filter(({ section }) => section === 'answer').length
  const bytes = last === undefined ? [] : [response.subarray(start, endOf(last))]
  const flags = response.readUInt16BE(2) | (kept.length === needed?.length ? 0 : FLAG.TC)
  const records = { answers, authorities: kept.length - answers, bytes }
  return message(query.id, flags, query.question, records, query.edns)
}

/** EDNS is between neighbours: the size that another server takes is not ours. */
export function replaceEdnsSize({ message, records }: Response): void {
  const opt = records.find(({ type }) => type === TYPE.OPT)
  if (opt !== undefined) message.writeUInt16BE(EDNS_BYTES, opt.ttlOffset - 2)
}

/** As they go into a message, after the question. */
interface Records {
  readonly answers: number
  readonly authorities: number
  readonly bytes: readonly Buffer[]
}

function message(
  id: number,
  flags: number,
  question: Buffer | undefined,
  { answers, authorities, bytes }: Records,
  edns: Query['edns'],
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  const counts = [question === undefined ? 0 : 1, answers, authorities, edns === undefined ? 0 : 1]
  for (const [index, value] of [id, flags, ...counts].entries()) header.writeUInt16BE(value, 2 * index)
  return Buffer.concat([
    header,
    ...(question === undefined ? [] : [question]),
    ...bytes,
    ...(edns === undefined ? [] : [encodeOpt(edns.dnssecOk)]),
  ])
}

function encodeRecord(owner: Buffer, { type, ttl, data }: Answer): Buffer {
  const record = Buffer.allocUnsafe(owner.length + 10 + data.length)
  let at = owner.copy(record)
  at = record.writeUInt16BE(type, at)
  at = record.writeUInt16BE(CLASS_IN, at)
  at = record.writeUInt32BE(ttl, at)
  at = record.writeUInt16BE(data.length, at)
  data.copy(record, at)
  return record
}

function encodeOpt(dnssecOk: boolean): Buffer {
  const record = Buffer.alloc(OPT_BYTES)
  record.writeUInt16BE(TYPE.OPT, 1)
  record.writeUInt16BE(EDNS_BYTES, 3)
  record.writeUInt16BE(dnssecOk ? DNSSEC_OK : 0, 7)
  return record
}

function endOf({ dataOffset, dataBytes }: WireRecord): number {
  return dataOffset + dataBytes
}

function udpLimit(edns: Query['edns']): number {
  return edns === undefined ? PLAIN_BYTES : clamp(edns.sizeBytes, PLAIN_BYTES, EDNS_BYTES)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
