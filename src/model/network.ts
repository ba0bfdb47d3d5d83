import type { StoredObject } from './meta.ts'

/** Addresses are text, of IPv6 as the kernel writes it; subnets are CIDR text. */
export interface NetworkSpec {
  /** The bridge's link name: the network's own name where that can be one. */
  readonly bridge: string
  readonly subnet: string
  readonly gateway: string
  /** Absent: there is none on this network. */
  readonly ipv6?: AddressRange
  readonly mtu?: number
}

/** Where one family of a network's addresses come from. */
export interface AddressRange {
  readonly subnet: string
  readonly gateway: string
}

export interface NetworkStatus {
  /** The address handed out last: allocation goes on after it, so that an address just freed rests. */
  readonly lastAddress?: string
  readonly lastAddress6?: string
  /** A remove was asked for: it will be finished, whatever happens. */
  readonly removingAt?: number
}

export type Network = StoredObject<NetworkSpec, NetworkStatus>

/** One network a sandbox is attached to. */
export interface Attachment {
  readonly network: string
  /** The link's name inside the sandbox: `eth0` ... */
  readonly interface: string
  /** CIDR text, IPv4 first. */
  readonly addresses: readonly string[]
  /** `02:42:..` */
  readonly mac: string
  readonly aliases: readonly string[]
  /** The highest gives the default route. */
  readonly gatewayPriority: number
}

export type Protocol = 'tcp' | 'udp'

/**
 * A published port. In a spec, `hostPort` 0 asks for a free one, and an empty `hostIp` for all addresses of the host, of
 * each family that the container has; in a status both have been chosen.
 */
export interface PortMapping {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: Protocol
}

export interface SandboxSpec {
  readonly hostname: string
  /** `host`: in the host's own network namespace; `none`: in one of its own with nothing but `lo`. Both have no attachments. */
  readonly networkMode?: 'host' | 'none'
  readonly attachments: readonly Attachment[]
  readonly ports: readonly PortMapping[]
}

/** What is set up in the kernel at present. */
export interface SandboxStatus {
  /** Bind mount of the network namespace; absent while the sandbox is down. */
  readonly netnsPath?: string
  /** The host's ends of the veth pairs. */
  readonly hostLinks?: readonly string[]
  /** The published ports in force, or those of the last start. */
  readonly ports?: readonly PortMapping[]
  readonly attempt: number
}

/** What holds the namespaces and the address of one container (later: of a pod). Its uid is not the container's. */
export type Sandbox = StoredObject<SandboxSpec, SandboxStatus>

/** Namespace: the network's name; name: the address. The name's uniqueness is what makes an address exclusive. */
export type AddressLease = StoredObject<{ readonly sandboxId: string }, Record<string, never>>

/** What networks that name no subnet take theirs from; name: `ipv6`. Made once: a daemon's addresses stay in one range. */
export type AddressPool = StoredObject<{ readonly subnet: string }, Record<string, never>>

/** Namespace: the protocol; name: `<port>/<host ip>`. */
export type PortLease = StoredObject<{ readonly sandboxId: string }, Record<string, never>>
