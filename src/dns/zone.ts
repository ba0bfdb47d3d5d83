/**
 * What the server process is told of a cluster: its Services and pods, as they are. The records that Kubernetes' DNS
 * specification makes of them follow from that, and are not told.
 */
export interface DnsZone {
  /** `cluster.local`. No name that ends in it is looked for anywhere else. */
  readonly domain: string
  readonly services: readonly DnsService[]
  /** Addresses of pods, by namespace. */
  readonly pods: Readonly<Record<string, readonly string[]>>
}

/**
 * A headless one has endpoints instead of addresses of its own. Several of one name add up, as EndpointSlices do: for
 * a named target port that is not the same number in all pods.
 */
export type DnsService = DnsServiceNames &
  ({ readonly clusterIps: readonly string[] } | { readonly endpoints: readonly DnsServiceEndpoint[] })

interface DnsServiceNames {
  readonly namespace: string
  readonly name: string
  readonly ports: readonly DnsServicePort[]
}

/** One that has a name: others have no record. */
export interface DnsServicePort {
  readonly name: string
  /** `TCP`, in any case. */
  readonly protocol: string
  /** What clients connect to: of a headless Service, the target port. */
  readonly port: number
}

/** Of a pod that is ready, unless the Service publishes others too. */
export interface DnsServiceEndpoint {
  readonly address: string
  readonly hostname?: string
}
