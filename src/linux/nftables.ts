/**
 * nf_tables over netlink (linux/netfilter/nf_tables.h), families ip and ip6: tables with base chains, maps and rules.
 *
 * A change is a list of messages that `commit` puts in force as a whole or not at all. What is created must not be
 * there yet, and what is deleted must be. Every commit, whoever makes it, counts the namespace's generation up by one.
 */
import { systemCode } from '../lib/errors.ts'
import type { Family } from '../lib/ip-address.ts'
import { NetlinkMessage, NetlinkSocket, NLM_F, readAttributes } from './netlink.ts'
import { watchNetlink } from './netlink-watch.ts'
import type { Expression } from './nftables-expressions.ts'

const NETLINK_NETFILTER = 12
const NFNL_SUBSYS_NFTABLES = 10
const BATCH = { BEGIN: 16, END: 17 } as const
const BATCH_GENID = 1
const NFPROTO_UNSPEC = 0
/** NFPROTO_IPV4, NFPROTO_IPV6. */
const NFPROTO = { 4: 2, 6: 10 } as const

const MSG = {
  NEWTABLE: 0,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  NEWRULE: 6,
  GETRULE: 7,
  NEWSET: 9,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
  NEWGEN: 15,
  GETGEN: 16,
} as const
const TABLE_NAME = 1
const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, USE: 6, TYPE: 7 } as const
const HOOK = { NUMBER: 1, PRIORITY: 2 } as const
const RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4, USERDATA: 7 } as const
/** How nft keeps a rule's comment (libnftnl/udata.h). */
const UDATA_RULE_COMMENT = 0
const SET = { TABLE: 1, NAME: 2, FLAGS: 3, KEY_TYPE: 4, KEY_LENGTH: 5, DATA_TYPE: 6, DATA_LENGTH: 7, ID: 10 } as const
const SET_FLAG_MAP = 8
const ELEMENTS = { TABLE: 1, SET: 2, LIST: 3 } as const
const ELEMENT = { KEY: 1, DATA: 2 } as const
const LIST_ELEMENT = 1
const DATA_VALUE = 1
const GEN_ID = 1
const GEN_PROC_PID = 2
/** NFNLGRP_NFTABLES as a bit. */
const GROUP_NFTABLES = 1 << 6

/** Netfilter's hooks of families ip and ip6. */
export const NF_HOOK = { PREROUTING: 0, OUTPUT: 3 } as const

/** What a field of a map is, by nft's name for it: the numbers are nft's own, and tell it how to print them. */
const FIELD_TYPES = { ipv4_addr: 7, ipv6_addr: 8, inet_proto: 12, inet_service: 13 } as const
const FIELD_TYPE_BITS = 6
/** Every field of a concatenation fills whole registers. */
const FIELD_BYTES = { ipv4_addr: 4, ipv6_addr: 16, inet_proto: 4, inet_service: 4 } as const

type FieldType = keyof typeof FIELD_TYPES

/** Each family has tables, and names for them, of its own. */
export interface Table {
  readonly family: Family
  readonly name: string
}

/** Key and data are concatenations of fields. */
interface MapSpec {
  readonly name: string
  readonly key: readonly FieldType[]
  readonly data: readonly FieldType[]
}

interface NatChainSpec {
  readonly name: string
  readonly hook: number
  readonly priority: number
}

/** Fields, one after the other, as `nftables-expressions.ts` encodes them. */
export interface MapElement {
  readonly key: Uint8Array
  readonly data: Uint8Array
}

interface Chain {
  readonly name: string
  /** How many rules it has, and how many lead to it. */
  readonly use: number
}

interface Rule {
  /** Unique in its table, and never used again. */
  readonly handle: bigint
  readonly bytes: Buffer
}

/** Belongs to the network namespace of the calling thread. */
export function openNetfilterSocket(): NetlinkSocket {
  return new NetlinkSocket(NETLINK_NETFILTER)
}

/** @throws {SysError} `EINVAL` if the kernel has no nf_tables */
export function readGeneration(socket: NetlinkSocket): number {
  const [reply] = socket.query(message('ask nf_tables for its generation', MSG.GETGEN, 0, NFPROTO_UNSPEC))
  return readAttributes(reply!.payload.subarray(4)).get(GEN_ID)!.readUInt32BE()
}

/**
 * Puts all of it in force, or nothing, if the generation is still this one.
 *
 * @returns the generation that this made
 * @throws {SysError} `ERESTART` if it is another one, and nothing was changed; any other of the first message that failed
 */
export function commit(socket: NetlinkSocket, messages: readonly NetlinkMessage[], generation: number): number {
  const begin = batchMark('change nf_tables', BATCH.BEGIN).attributeU32BE(BATCH_GENID, generation)
  socket.transact([begin, ...messages, batchMark('end a change of nf_tables', BATCH.END)])
  return (generation + 1) >>> 0
}

/** Calls back after another thread than this one has changed anything in nf_tables, as {@link watchNetlink} does. */
export function watchNfTables(threadId: number, onChange: () => void): Disposable {
  const matters = (type: number, payload: Buffer) =>
    type === ((NFNL_SUBSYS_NFTABLES << 8) | MSG.NEWGEN) &&
    readAttributes(payload.subarray(4)).get(GEN_PROC_PID)?.readUInt32BE() !== threadId
  return watchNetlink({ protocol: NETLINK_NETFILTER, groups: GROUP_NFTABLES, matters }, onChange)
}

export function createTable({ family, name }: Table): NetlinkMessage {
  const flags = NLM_F.CREATE | NLM_F.EXCL
  return message(`create table ${name}`, MSG.NEWTABLE, flags, NFPROTO[family]).attributeText(TABLE_NAME, name)
}

/** Makes it first if it is not there, so that it may be deleted. */
export function ensureTable({ family, name }: Table): NetlinkMessage {
  return message(`ensure table ${name}`, MSG.NEWTABLE, NLM_F.CREATE, NFPROTO[family]).attributeText(TABLE_NAME, name)
}

/** With all that is in it. */
export function deleteTable({ family, name }: Table): NetlinkMessage {
  return message(`delete table ${name}`, MSG.DELTABLE, 0, NFPROTO[family]).attributeText(TABLE_NAME, name)
}

/** A base chain of type nat: the first packet of a flow passes it. */
export function createNatChain(table: Table, { name, hook, priority }: NatChainSpec): NetlinkMessage {
  return inTable(`create chain ${table.name} ${name}`, MSG.NEWCHAIN, NLM_F.CREATE | NLM_F.EXCL, table, CHAIN.TABLE)
    .attributeText(CHAIN.NAME, name)
    .attributeText(CHAIN.TYPE, 'nat')
    .nested(CHAIN.HOOK, (it) => it.attributeU32BE(HOOK.NUMBER, hook).attributeU32BE(HOOK.PRIORITY, priority))
}

/** `id` must be another one for each map of the same commit. */
export function createMap(table: Table, { name, key, data }: MapSpec, id: number): NetlinkMessage {
  return inTable(`create map ${table.name} ${name}`, MSG.NEWSET, NLM_F.CREATE | NLM_F.EXCL, table, SET.TABLE)
    .attributeText(SET.NAME, name)
    .attributeU32BE(SET.FLAGS, SET_FLAG_MAP)
    .attributeU32BE(SET.KEY_TYPE, concatenated(key))
    .attributeU32BE(SET.KEY_LENGTH, bytesOf(key))
    .attributeU32BE(SET.DATA_TYPE, concatenated(data))
    .attributeU32BE(SET.DATA_LENGTH, bytesOf(data))
    .attributeU32BE(SET.ID, id)
}

/** Adds a rule at the end; `nft list ruleset` shows its comment. */
export function addRule(
  table: Table,
  chain: string,
  expressions: readonly Expression[],
  comment: string,
): NetlinkMessage {
  return inTable(`add a rule to ${table.name} ${chain}`, MSG.NEWRULE, NLM_F.CREATE | NLM_F.APPEND, table, RULE.TABLE)
    .attributeText(RULE.CHAIN, chain)
    .nested(RULE.EXPRESSIONS, (rule) => {
      for (const add of expressions) add(rule)
    })
    .attribute(RULE.USERDATA, commentBytes(comment))
}

/** As part of a rule's bytes. */
export function commentBytes(comment: string): Buffer {
  const text = Buffer.from(`${comment}\0`)
  return Buffer.concat([Buffer.of(UDATA_RULE_COMMENT, text.length), text])
}

export function addElements(table: Table, map: string, elements: readonly MapElement[]): NetlinkMessage[] {
  return elementMessages(`add elements to ${table.name} ${map}`, MSG.NEWSETELEM, table, map, elements)
}

export function deleteElements(table: Table, map: string, keys: readonly Uint8Array[]): NetlinkMessage[] {
  const elements = keys.map((key) => ({ key }))
  return elementMessages(`delete elements of ${table.name} ${map}`, MSG.DELSETELEM, table, map, elements)
}

/** Costs far less than its rules do. Empty if there is no such table. */
export function listChains(socket: NetlinkSocket, table: Table): Chain[] {
  const query = inTable(`list chains of ${table.name}`, MSG.GETCHAIN, NLM_F.DUMP, table, CHAIN.TABLE)
  return socket
    .query(query)
    .map(({ payload }) => readAttributes(payload.subarray(4)))
    .filter((chain) => textOf(chain.get(CHAIN.TABLE)) === table.name)
    .map((chain) => ({ name: textOf(chain.get(CHAIN.NAME)), use: chain.get(CHAIN.USE)!.readUInt32BE() }))
}

/** Empty if there is no such table or chain. */
export function listRules(socket: NetlinkSocket, table: Table, chain: string): Rule[] {
  const operation = `list rules of ${table.name} ${chain}`
  return socket
    .query(inTable(operation, MSG.GETRULE, NLM_F.DUMP, table, RULE.TABLE).attributeText(RULE.CHAIN, chain))
    .map(({ payload }) => ({
      handle: readAttributes(payload.subarray(4)).get(RULE.HANDLE)!.readBigUInt64BE(),
      bytes: payload,
    }))
}

/** Empty if there is no such table or map. */
export function listElements(socket: NetlinkSocket, table: Table, map: string): MapElement[] {
  const operation = `list elements of ${table.name} ${map}`
  const query = inTable(operation, MSG.GETSETELEM, NLM_F.DUMP, table, ELEMENTS.TABLE)
  try {
    return socket
      .query(query.attributeText(ELEMENTS.SET, map))
      .flatMap(({ payload }) => attributeList(readAttributes(payload.subarray(4)).get(ELEMENTS.LIST)))
      .map((element) => readAttributes(element))
      .map((element) => ({ key: fieldsOf(element.get(ELEMENT.KEY)), data: fieldsOf(element.get(ELEMENT.DATA)) }))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** The payloads of attributes that all have the same type. */
function attributeList(bytes: Buffer | undefined): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; bytes !== undefined && at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at)
    found.push(bytes.subarray(at + 4, at + length))
    at += (Math.max(length, 4) + 3) & ~3
  }
  return found
}

function textOf(bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : bytes.toString('utf8', 0, bytes.length - 1)
}

function fieldsOf(bytes: Buffer | undefined): Buffer {
  return (bytes && readAttributes(bytes).get(DATA_VALUE)) ?? Buffer.alloc(0)
}

function elementMessages(
  operation: string,
  type: number,
  table: Table,
  map: string,
  elements: readonly { readonly key: Uint8Array; readonly data?: Uint8Array }[],
): NetlinkMessage[] {
  // The list is one attribute, of at most 64 KB, and an element takes at most 156 bytes.
  const PER_MESSAGE = 400
  return Array.from({ length: Math.ceil(elements.length / PER_MESSAGE) }, (_, index) =>
    inTable(operation, type, type === MSG.NEWSETELEM ? NLM_F.CREATE | NLM_F.EXCL : 0, table, ELEMENTS.TABLE)
      .attributeText(ELEMENTS.SET, map)
      .nested(ELEMENTS.LIST, (list) => {
        for (const { key, data } of elements.slice(index * PER_MESSAGE, (index + 1) * PER_MESSAGE)) {
          list.nested(LIST_ELEMENT, (element) => {
            element.nested(ELEMENT.KEY, (it) => it.attribute(DATA_VALUE, key))
            if (data !== undefined) element.nested(ELEMENT.DATA, (it) => it.attribute(DATA_VALUE, data))
          })
        }
      }),
  )
}

/** Names the table in the attribute that is for it in such a message. */
function inTable(
  operation: string,
  type: number,
  flags: number,
  { family, name }: Table,
  attribute: number,
): NetlinkMessage {
  return message(operation, type, flags, NFPROTO[family]).attributeText(attribute, name)
}

/** With struct nfgenmsg. */
function message(operation: string, type: number, flags: number, family: number): NetlinkMessage {
  return new NetlinkMessage(operation, (NFNL_SUBSYS_NFTABLES << 8) | type, flags).u8(family).u8(0).u16(0)
}

/** Its resource id names the subsystem, in network byte order. */
function batchMark(operation: string, type: number): NetlinkMessage {
  return new NetlinkMessage(operation, type, 0).u8(NFPROTO_UNSPEC).u8(0).u8(0).u8(NFNL_SUBSYS_NFTABLES)
}

function bytesOf(types: readonly FieldType[]): number {
  return types.reduce((sum, type) => sum + FIELD_BYTES[type], 0)
}

function concatenated(types: readonly FieldType[]): number {
  return types.reduce((all, type) => (all << FIELD_TYPE_BITS) | FIELD_TYPES[type], 0)
}
