import { addressFamily } from '../../../lib/ip-address.ts'
import { dnsLabelProblem, dnsSubdomainProblem } from '../names.ts'
import type { PodDnsConfig, PodSpec } from '../pod.ts'
import { containerFaults } from './container.ts'
import { type Faults, faultIf } from './fault-if.ts'
import { podSecurityFaults } from './security.ts'
import { volumeFaults } from './volumes.ts'

const MAX_NAMESERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_CHARACTERS = 2048

/** Of a pod's spec, also in a template. */
export function* podSpecFaults(path: string, spec: PodSpec): Faults {
  const { hostname, subdomain, hostAliases = [], imagePullSecrets = [], volumes = [] } = spec
  yield* volumeFaults(`${path}.volumes`, volumes)
  yield* containerFaults(path, spec)
  yield* podSecurityFaults(`${path}.securityContext`, spec)
  if (hostname !== undefined) yield* faultIf(`${path}.hostname`, dnsLabelProblem(hostname))
  if (subdomain !== undefined) yield* faultIf(`${path}.subdomain`, dnsLabelProblem(subdomain))
  for (const [index, { ip, hostnames = [] }] of hostAliases.entries()) {
    const at = `${path}.hostAliases[${index}]`
    yield* faultIf(`${at}.ip`, addressFamily(ip) === undefined && 'must be an IP address')
    for (const [place, name] of hostnames.entries()) {
      yield* faultIf(`${at}.hostnames[${place}]`, dnsSubdomainProblem(name))
    }
  }
  for (const [index, { name }] of imagePullSecrets.entries()) {
    yield* faultIf(`${path}.imagePullSecrets[${index}].name`, name === undefined && 'is missing')
  }
  const sharesTwice = spec.shareProcessNamespace && spec.hostPID
  yield* faultIf(`${path}.shareProcessNamespace`, sharesTwice && 'must not be true together with hostPID')
  yield* dnsFaults(`${path}.dnsConfig`, spec.dnsConfig ?? {}, spec.dnsPolicy)
}

function* dnsFaults(path: string, config: PodDnsConfig, policy: PodSpec['dnsPolicy']): Faults {
  const { nameservers = [], searches = [], options = [] } = config
  const lacks = policy === 'None' && nameservers.length === 0
  yield* faultIf(`${path}.nameservers`, lacks && 'must name at least one with "dnsPolicy": "None"')
  yield* faultIf(`${path}.nameservers`, nameservers.length > MAX_NAMESERVERS && `may be at most ${MAX_NAMESERVERS}`)
  for (const [index, address] of nameservers.entries()) {
    yield* faultIf(`${path}.nameservers[${index}]`, addressFamily(address) === undefined && 'must be an IP address')
  }
  const isLong = searches.length > MAX_SEARCHES || searches.join(' ').length > MAX_SEARCH_CHARACTERS
  yield* faultIf(
    `${path}.searches`,
    isLong && `may be at most ${MAX_SEARCHES}, with ${MAX_SEARCH_CHARACTERS} characters together`,
  )
  for (const [index, domain] of searches.entries()) {
    if (domain !== '.') yield* faultIf(`${path}.searches[${index}]`, dnsSubdomainProblem(domain.replace(/\.$/, '')))
  }
  for (const [index, { name }] of options.entries()) {
    yield* faultIf(`${path}.options[${index}].name`, name === undefined && 'is missing')
  }
}
