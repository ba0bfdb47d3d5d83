/**
 * What rules of nf_tables are made of. An expression works on registers of 4 bytes, counted from 0 here; what is wider
 * goes on in the next ones. The rule ends at the first expression that finds nothing.
 */
import { addressBytes, type Family } from '../lib/ip-address.ts'
import type { NetlinkMessage } from './netlink.ts'

/** Adds itself to the list of a rule's expressions. */
export type Expression = (rule: NetlinkMessage) => void

/** The headers that a packet is read from. */
export const HEADER = { NETWORK: 1, TRANSPORT: 2 } as const

const LIST_ELEMENT = 1
const EXPRESSION = { NAME: 1, DATA: 2 } as const
const PAYLOAD = { TARGET: 1, BASE: 2, OFFSET: 3, LENGTH: 4 } as const
const META = { TARGET: 1, KEY: 2 } as const
const META_L4PROTO = 16
const FIB = { TARGET: 1, RESULT: 2, FLAGS: 3 } as const
const FIB_RESULT_ADDRTYPE = 3
const FIB_FLAG_DADDR = 2
const RTN_LOCAL = 2
const CMP = { SOURCE: 1, OPERATOR: 2, DATA: 3 } as const
const CMP_OPERATOR = { '==': 0, '!=': 1 } as const
const DATA_VALUE = 1
const LOOKUP = { SET: 1, SOURCE: 2, TARGET: 3 } as const
const NAT = { TYPE: 1, FAMILY: 2, ADDRESS: 3, PORT: 5 } as const
const NAT_DNAT = 1
/** NFPROTO_IPV4, NFPROTO_IPV6. */
const NFPROTO = { 4: 2, 6: 10 } as const
/** NFT_REG32_00, the first of those with 4 bytes. */
const FIRST_REGISTER = 8

/** `length` bytes of a header of the packet. */
export function loadHeader(header: number, offset: number, length: number, target: number): Expression {
  return expression('payload', (it) =>
    it
      .attributeU32BE(PAYLOAD.TARGET, FIRST_REGISTER + target)
      .attributeU32BE(PAYLOAD.BASE, header)
      .attributeU32BE(PAYLOAD.OFFSET, offset)
      .attributeU32BE(PAYLOAD.LENGTH, length),
  )
}

/** TCP, UDP ... as a field of type `inet_proto`. */
export function loadProtocol(target: number): Expression {
  return expression('meta', (it) =>
    it.attributeU32BE(META.TARGET, FIRST_REGISTER + target).attributeU32BE(META.KEY, META_L4PROTO),
  )
}

/** Goes on if the packet's destination is an address of this host. Uses register 0. */
export function destinationIsLocal(): readonly Expression[] {
  const local = Buffer.alloc(4)
  local.writeUInt32LE(RTN_LOCAL)
  return [
    expression('fib', (it) =>
      it
        .attributeU32BE(FIB.TARGET, FIRST_REGISTER)
        .attributeU32BE(FIB.RESULT, FIB_RESULT_ADDRTYPE)
        .attributeU32BE(FIB.FLAGS, FIB_FLAG_DADDR),
    ),
    compare(0, '==', local),
  ]
}

/** Goes on if it is so. */
export function compare(source: number, operator: '==' | '!=', value: Uint8Array): Expression {
  return expression('cmp', (it) =>
    it
      .attributeU32BE(CMP.SOURCE, FIRST_REGISTER + source)
      .attributeU32BE(CMP.OPERATOR, CMP_OPERATOR[operator])
      .nested(CMP.DATA, (data) => data.attribute(DATA_VALUE, value)),
  )
}

/** Goes on, with what the map has for the key at `source`, if it has that key. */
export function lookUp(map: string, source: number, target: number): Expression {
  return expression('lookup', (it) =>
    it
      .attributeText(LOOKUP.SET, map)
      .attributeU32BE(LOOKUP.SOURCE, FIRST_REGISTER + source)
      .attributeU32BE(LOOKUP.TARGET, FIRST_REGISTER + target),
  )
}

/** Rewrites the destination of the flow, to what these registers hold. */
export function rewriteDestination(family: Family, address: number, port: number): Expression {
  return expression('nat', (it) =>
    it
      .attributeU32BE(NAT.TYPE, NAT_DNAT)
      .attributeU32BE(NAT.FAMILY, NFPROTO[family])
      .attributeU32BE(NAT.ADDRESS, FIRST_REGISTER + address)
      .attributeU32BE(NAT.PORT, FIRST_REGISTER + port),
  )
}

/** A field of type `ipv4_addr` or `ipv6_addr`. */
export function addressField(address: string): Buffer {
  return addressBytes(address)
}

/** A field of type `inet_proto`. */
export function protocolField(protocol: number): Buffer {
  return Buffer.of(protocol, 0, 0, 0)
}

/** A field of type `inet_service`. */
export function portField(port: number): Buffer {
  return Buffer.of(port >> 8, port & 0xff, 0, 0)
}

function expression(name: string, fill: (data: NetlinkMessage) => void): Expression {
  return (rule) => {
    rule.nested(LIST_ELEMENT, (it) => it.attributeText(EXPRESSION.NAME, name).nested(EXPRESSION.DATA, fill))
  }
}
