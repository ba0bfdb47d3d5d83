import type { DnsConfig } from '../../model/container.ts'
import { clusterDns, HOST_GATEWAY } from '../../model/dns.ts'
import type { Pod } from '../../model/kube/stored.ts'

/** Kubernetes' limits (pkg/apis/core/validation). */
const MAX_SERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_LENGTH = 2048

/** What the engine takes for "none", where an empty list is the host's. */
const NO_SEARCH = '.'
/** The resolver's own default (resolv.conf(5)). */
const NO_OPTIONS = 'ndots:1'

/**
 * How a pod's containers resolve names, as kubelet has it: what its policy gives, then what its `dnsConfig` adds.
 * @param host what a container would get from the host itself
 */
export function podDns(pod: Pod, host: DnsConfig): DnsConfig {
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {}
  const base = baseOf(pod, host)
  const search = searchesThatFit([...new Set([...base.search, ...searches])])
  const merged = mergeOptions([
    ...base.options.map(parseOption),
    ...options.map(({ name = '', value }) => [name, value] as const),
  ])
  return {
    servers: [...new Set([...base.servers, ...nameservers])].slice(0, MAX_SERVERS),
    search: search.length === 0 ? [NO_SEARCH] : search,
    options: merged.length === 0 ? [NO_OPTIONS] : merged,
  }
}

function baseOf({ metadata, spec }: Pod, host: DnsConfig): DnsConfig {
  const { dnsPolicy = 'ClusterFirst', hostNetwork = false } = spec
  if (dnsPolicy === 'None') return { servers: [], search: [], options: [] }
  if (dnsPolicy === 'Default' || (dnsPolicy === 'ClusterFirst' && hostNetwork)) return host
  const { search, options } = clusterDns(metadata.namespace)
  return { servers: [HOST_GATEWAY], search: [...search, ...host.search], options }
}

type Option = readonly [name: string, value: string | undefined]

function parseOption(text: string): Option {
  const [name = '', value] = text.split(/:(.*)/s)
  return [name, value]
}

/** Later ones win. */
function mergeOptions(options: readonly Option[]): string[] {
  return [...new Map(options)].map(([name, value]) => (value === undefined || value === '' ? name : `${name}:${value}`))
}

function searchesThatFit(searches: readonly string[]): string[] {
  const fitting: string[] = []
  let length = -1
  for (const search of searches.slice(0, MAX_SEARCHES)) {
    length += search.length + 1
    if (length > MAX_SEARCH_LENGTH) break
    fitting.push(search)
  }
  return fitting
}
