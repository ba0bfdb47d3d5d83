import { StatusError } from '../lib/errors.ts'
import { validateName } from '../model/names.ts'
import type { Attachment, SandboxSpec } from '../model/network.ts'
import { defaultMac } from '../network/index.ts'
import type { WriteTx } from '../store/index.ts'
import { findNetwork, leaseAddress } from './networks.ts'
import type { AttachRequest } from './types.ts'

const MAX_ATTACHMENTS = 32

/** What a new sandbox is attached to, with its addresses leased. @throws {StatusError} as {@link attach} */
export function planAttachments(
  tx: WriteTx,
  sandboxId: string,
  requests: readonly AttachRequest[],
): Pick<SandboxSpec, 'attachments' | 'networkMode'> {
  const mode = networkMode(requests)
  if (mode !== undefined) return { attachments: [], networkMode: mode }
  const attachments: Attachment[] = []
  for (const request of requests) attachments.push(attach(tx, sandboxId, attachments, request))
  return { attachments }
}

/**
 * One more attachment, with its address leased.
 * @throws {StatusError} `invalid_argument`, `not_found` (network), `conflict` (attached to it already, address taken),
 *   `resource_exhausted` (addresses)
 */
export function attach(
  tx: WriteTx,
  sandboxId: string,
  present: readonly Attachment[],
  { network: name, aliases = [], address, address6 }: AttachRequest,
): Attachment {
  const network = findNetwork(tx, name)
  if (present.some((attachment) => attachment.network === name)) {
    throw new StatusError('conflict', `The container is attached to network "${name}" already`)
  }
  if (present.length >= MAX_ATTACHMENTS) {
    throw new StatusError('invalid_argument', `A container can be attached to ${MAX_ATTACHMENTS} networks at most`)
  }
  for (const alias of aliases) validateName('alias', alias)
  const ipv4 = leaseAddress(tx, network, 4, { sandboxId, wanted: address })!
  const ipv6 = leaseAddress(tx, network, 6, { sandboxId, wanted: address6 })
  return {
    network: name,
    interface: freeInterface(present),
    addresses: ipv6 === undefined ? [ipv4] : [ipv4, ipv6],
    mac: defaultMac(ipv4.split('/')[0]!),
    aliases: [...new Set(aliases)],
    gatewayPriority: 0,
  }
}

/** @throws {StatusError} `invalid_argument` for what only goes alone, or not with a network of that kind */
export function networkMode(requests: readonly AttachRequest[]): SandboxSpec['networkMode'] {
  const special = requests.find(({ network }) => network === 'host' || network === 'none')
  if (special === undefined) return undefined
  const hasAddress = special.address !== undefined || special.address6 !== undefined
  if (requests.length > 1 || hasAddress || (special.aliases ?? []).length > 0) {
    throw new StatusError(
      'invalid_argument',
      `Network "${special.network}" goes with no other network, and with neither address nor alias`,
    )
  }
  return special.network as 'host' | 'none'
}

function freeInterface(present: readonly Attachment[]): string {
  const taken = new Set(present.map((attachment) => attachment.interface))
  for (let index = 0; ; index++) if (!taken.has(`eth${index}`)) return `eth${index}`
}
