import { StatusError, systemCode } from '../lib/errors.ts'
import { addressFamily } from '../lib/ip-address.ts'
import { probeBind } from '../linux/bind.ts'
import type { Protocol } from '../model/network.ts'

/**
 * Whether a program of this host could listen there now; found out by binding, without ever listening.
 *
 * @throws {StatusError} `invalid_argument` if the host does not have the address
 */
export async function hostPortIsFree(hostIp: string, port: number, protocol: Protocol): Promise<boolean> {
  return bindTo(hostIp, port, protocol) !== undefined
}

/** A port that is free now, from the kernel's range of ephemeral ports. */
export async function freeHostPort(hostIp: string, protocol: Protocol): Promise<number> {
  const port = bindTo(hostIp, 0, protocol)
  if (port === undefined) throw new StatusError('resource_exhausted', `No ${protocol} port is free on ${hostIp}`)
  return port
}

function bindTo(hostIp: string, port: number, protocol: Protocol): number | undefined {
  if (addressFamily(hostIp) === undefined) {
    throw new StatusError('invalid_argument', `Cannot publish on "${hostIp.slice(0, 60)}": it is no address`)
  }
  try {
    return probeBind(hostIp, port, protocol)
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return undefined
    if (!['EADDRNOTAVAIL', 'EINVAL', 'EAFNOSUPPORT'].includes(systemCode(error) ?? '')) throw error
    throw new StatusError('invalid_argument', `Cannot publish on ${hostIp}: this host has no such address`, {
      cause: error,
    })
  }
}
