import { isIP } from 'node:net'
import { StatusError } from '../lib/errors.ts'
import type { DnsConfig, ExtraHost } from './container.ts'

/** Also of a container on a network; with a dot at its end it would be another's. */
export const HOST_NAME = /^[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]{0,252}[a-zA-Z0-9_])?$/
const OPTION = /^[\x21-\x7e]{1,100}$/
export const HOST_GATEWAY = 'host-gateway'
/** What Services and pods are named in. */
export const CLUSTER_DOMAIN = 'cluster.local'

/** Checks what goes into resolv.conf; a search of `.` stands for none at all. @throws {StatusError} `invalid_argument` */
export function validateDns({ servers, search, options }: DnsConfig): void {
  const server = servers.find((text) => isIP(text) === 0)
  if (server !== undefined) throw invalid('DNS server', server, 'want an IP address')
  const domain = search.find((text) => text !== '.' && !HOST_NAME.test(text.replace(/\.$/, '')))
  if (domain !== undefined) throw invalid('DNS search domain', domain, 'want a domain name, or "." for none')
  const option = options.find((text) => !OPTION.test(text))
  if (option !== undefined) throw invalid('DNS option', option, 'want one word, as in ndots:2 (resolv.conf(5))')
}

/**
 * How a pod's resolver completes names, as kubelet has it: one with fewer than five dots is tried with each of these
 * behind it first, so that `db`, `db.namespace` and `db.namespace.svc` are Services.
 */
export function clusterDns(namespace: string): Pick<DnsConfig, 'search' | 'options'> {
  const services = `svc.${CLUSTER_DOMAIN}`
  return { search: [`${namespace}.${services}`, services, CLUSTER_DOMAIN], options: ['ndots:5'] }
}

/** Parses `name:address`, also `name=address`; the address may be `host-gateway`. @throws {StatusError} `invalid_argument` */
export function parseExtraHost(text: string): ExtraHost {
  const [, name = '', bracketed = ''] = /^([^:=]+)[:=](.+)$/.exec(text) ?? []
  const address = bracketed.replace(/^\[(.*)\]$/, '$1')
  if (!HOST_NAME.test(name)) throw invalid('extra host', text, 'want name:address, as in db:10.0.0.5')
  if (address === HOST_GATEWAY || (isIP(address) !== 0 && !address.includes('%'))) return { name, address }
  throw invalid('extra host', text, `"${address.slice(0, 60)}" is neither an IP address nor ${HOST_GATEWAY}`)
}

function invalid(what: string, text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid ${what} "${text.slice(0, 200)}": ${problem}`)
}
