import type { ExtraHost } from '../../model/container.ts'
import { CLUSTER_DOMAIN } from '../../model/dns.ts'
import type { Pod } from '../../model/kube/stored.ts'

/** The kernel's own limit is 64 bytes, that of a DNS label 63. */
const MAX_HOSTNAME = 63

/** @param nodeName that of the machine, which a pod in its network shares */
export function podHostname({ metadata, spec }: Pod, nodeName: string): string {
  if (spec.hostNetwork) return nodeName
  const name = spec.hostname || metadata.name
  return name.length <= MAX_HOSTNAME ? name : name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '')
}

/** Lines of /etc/hosts: its name in full, if it is in a subdomain, and what it gives other hosts of names. */
export function podHosts(pod: Pod, podIps: readonly string[]): ExtraHost[] {
  const { metadata, spec } = pod
  const { subdomain, hostNetwork = false, hostAliases = [] } = spec
  const domain = `${subdomain}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}`
  const own = subdomain && !hostNetwork ? podIps : []
  return [
    ...own.map((address) => ({ name: `${podHostname(pod, '')}.${domain}`, address })),
    ...hostAliases.flatMap(({ ip, hostnames = [] }) => hostnames.map((name) => ({ name, address: ip }))),
  ]
}
