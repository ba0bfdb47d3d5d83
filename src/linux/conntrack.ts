/** Connection tracking over ctnetlink (linux/netfilter/nfnetlink_conntrack.h): as much as published ports need. */
import { addressText, type Family } from '../lib/ip-address.ts'
import { NetlinkMessage, NetlinkSocket, NLM_F, readAttributes } from './netlink.ts'

const NETLINK_NETFILTER = 12
const CT_NEW = 0x100
const CT_GET = 0x101
const CT_DELETE = 0x102
const AF = { 4: 2, 6: 10 } as const
const IPPROTO_UDP = 17

const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, FILTER: 25 } as const
const TUPLE = { IP: 1, PROTO: 2 } as const
const IP = { 4: { SOURCE: 1, DESTINATION: 2 }, 6: { SOURCE: 3, DESTINATION: 4 } } as const
const PROTO = { NUMBER: 1, SOURCE_PORT: 2, DESTINATION_PORT: 3 } as const
const NLA_F_NESTED = 0x8000
const FILTER_ORIG_FLAGS = 1
const FILTER_PROTO_NUMBER = 1 << 3

interface Endpoint {
  readonly address: string
  readonly port: number
}

/** A tracked flow: where its first packet went, and who answers (another one if the destination was rewritten). */
interface Flow {
  readonly destination: Endpoint
  readonly answeredBy: Endpoint
}

/**
 * Makes the kernel forget the UDP flows of that family that `matches` picks, so that their next packet meets the rules anew. Without
 * this a client that keeps sending keeps the route it had before the rules changed.
 */
export function forgetUdpFlows(family: Family, matches: (flow: Flow) => boolean): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER)
  const deletions = socket
    .query(listUdpFlows(family))
    .filter(({ type }) => type === CT_NEW)
    .map(({ payload }) => readAttributes(payload.subarray(4)))
    .filter((flow) => isUdp(flow) && matches(toFlow(family, flow)))
    .map((flow) =>
      message('forget a flow', CT_DELETE, 0, family).attribute(
        CTA.TUPLE_ORIG | NLA_F_NESTED,
        flow.get(CTA.TUPLE_ORIG)!,
      ),
    )
  if (deletions.length === 0) return
  // A flow may end by itself in between.
  for (const { error } of socket.exchange(deletions)) if (error !== undefined && error.code !== 'ENOENT') throw error
}

/** Kernels before 5.8 do not know the filter and list all flows. */
function listUdpFlows(family: Family): NetlinkMessage {
  return message('list flows', CT_GET, NLM_F.DUMP, family)
    .nested(CTA.TUPLE_ORIG, (tuple) =>
      tuple.nested(TUPLE.PROTO, (proto) => proto.attributeU8(PROTO.NUMBER, IPPROTO_UDP)),
    )
    .nested(CTA.FILTER, (filter) => filter.attributeU32(FILTER_ORIG_FLAGS, FILTER_PROTO_NUMBER))
}

/** With struct nfgenmsg. */
function message(operation: string, type: number, flags: number, family: Family): NetlinkMessage {
  return new NetlinkMessage(operation, type, flags).u8(AF[family]).u8(0).u16(0)
}

function isUdp(flow: Map<number, Buffer>): boolean {
  const proto = readAttributes(readAttributes(flow.get(CTA.TUPLE_ORIG)!).get(TUPLE.PROTO)!)
  return proto.get(PROTO.NUMBER)![0] === IPPROTO_UDP
}

function toFlow(family: Family, flow: Map<number, Buffer>): Flow {
  const { SOURCE, DESTINATION } = IP[family]
  return {
    destination: endpoint(flow.get(CTA.TUPLE_ORIG)!, DESTINATION, PROTO.DESTINATION_PORT),
    answeredBy: endpoint(flow.get(CTA.TUPLE_REPLY)!, SOURCE, PROTO.SOURCE_PORT),
  }
}

function endpoint(tuple: Buffer, ipType: number, portType: number): Endpoint {
  const parts = readAttributes(tuple)
  const address = readAttributes(parts.get(TUPLE.IP)!).get(ipType)!
  const port = readAttributes(parts.get(TUPLE.PROTO)!).get(portType)!
  return { address: addressText(address), port: port.readUInt16BE() }
}
