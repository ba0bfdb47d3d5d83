import type { ContainerOptions, Resources, Tmpfs } from './container.ts'
import type { HealthcheckOptions } from './healthcheck.ts'
import type { Labels, StoredObject } from './meta.ts'
import type { PortMapping } from './network.ts'

/** A group of containers, each alone in its namespaces, that live and die as one: what a Compose project is. */
export interface BottleSpec {
  /** By name. */
  readonly services: Readonly<Record<string, BottleService>>
  /** By the name that services know them by. */
  readonly networks: Readonly<Record<string, BottleNetwork>>
  readonly volumes: Readonly<Record<string, BottleVolume>>
  /** Kept and shown; nothing enforces them yet. */
  readonly policies: readonly BottlePolicy[]
}

export interface BottleService {
  readonly image: string
  readonly pull: 'missing' | 'always' | 'never'
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  /** `K=V`. */
  readonly env: readonly string[]
  /** As docker's; absent: that of the image. */
  readonly workingDir?: string
  readonly user?: string
  readonly hostname?: string
  readonly labels: Labels
  readonly tty?: true
  readonly openStdin?: true
  readonly ports: readonly PortMapping[]
  readonly mounts: readonly BottleMount[]
  readonly tmpfs: readonly Tmpfs[]
  /** In order of their priority, the first gives the default route; empty with `networkMode`. */
  readonly networks: readonly BottleAttachment[]
  /** `bridge`: the default network of the daemon. */
  readonly networkMode?: 'host' | 'none' | 'bridge'
  /** By service. */
  readonly dependsOn: Readonly<Record<string, BottleDependency>>
  readonly healthcheck?: HealthcheckOptions
  readonly replicas: number
  readonly resources: Resources
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly readOnlyRootfs?: true
  /** `restart` of it is the service's restart policy. */
  readonly options: ContainerOptions
  readonly stopSignal?: string
  readonly stopTimeoutMs?: number
  /** The container's name instead of `<bottle>-<service>-<number>`; with one replica only. */
  readonly containerName?: string
  /** Secrets and configs. */
  readonly files: readonly BottleFile[]
  /** Whether the new container runs, and is healthy, before the old one goes. */
  readonly updateOrder: 'stop-first' | 'start-first'
  /** Of the original's files: a value that is `dep`, or begins with `dep:`, has the address of that dependency in its place. */
  readonly replacesNames?: true
}

export interface BottleDependency {
  readonly condition: 'started' | 'healthy' | 'completed'
  /** It is made anew when that one is. */
  readonly restart?: true
  /** `false`: it begins without it where that is no part of the bottle, or fails. */
  readonly required: boolean
}

export type BottleMount =
  | {
      readonly type: 'bind'
      /** Absolute. */
      readonly source: string
      readonly destination: string
      readonly readOnly: boolean
      /** Make the directory on the host if there is nothing. */
      readonly createSource: boolean
      readonly propagation?: 'rprivate' | 'private' | 'rslave' | 'slave' | 'rshared' | 'shared'
    }
  | {
      readonly type: 'volume'
      /** A key of the bottle's volumes; absent: one without a name. */
      readonly volume?: string
      readonly destination: string
      readonly readOnly: boolean
      readonly noCopy: boolean
    }

export interface BottleAttachment {
  /** A key of the bottle's networks. */
  readonly network: string
  readonly aliases: readonly string[]
  readonly address?: string
  readonly address6?: string
}

export interface BottleNetwork {
  /** In the daemon; absent: `<bottle>_<key>`. */
  readonly name?: string
  /** It is there, and is not the bottle's to make or remove. */
  readonly external?: true
  readonly subnet?: string
  readonly gateway?: string
  readonly ipv6?: true
  readonly subnet6?: string
  readonly gateway6?: string
  readonly mtu?: number
  readonly labels: Labels
}

export interface BottleVolume {
  /** In the daemon; absent: `<bottle>_<key>`. */
  readonly name?: string
  readonly external?: true
  readonly labels: Labels
}

/** What a secret or a config is in a container. */
export interface BottleFile {
  readonly kind: 'secret' | 'config'
  /** A key of the project's secrets or configs, for messages. */
  readonly name: string
  /** Absolute. */
  readonly destination: string
  /** A file of the host that is mounted, or what is in a file that the daemon makes (base64). */
  readonly from: { readonly source: string } | { readonly data: string }
  /** Octal permissions as a number, such as 0o444; of `data` only. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Endpoints are services, or what the original takes for them: addresses, ranges, names. */
export interface BottlePolicy {
  readonly id: string
  readonly type: 'east-west' | 'north-south_observe' | 'north-south_enforce'
  readonly source: string
  readonly destination: string
  readonly protocol?: string
  readonly destPort?: number
  readonly comment?: string
}

export interface BottleStatus {
  /** Its containers, networks and volumes were made; before that it is taken back if the daemon ends. */
  readonly registeredAt?: number
  /** A remove was asked for: it will be finished, whatever happens. */
  readonly removingAt?: number
  /** Its named volumes go with it. */
  readonly removesVolumes?: true
}

export type Bottle = StoredObject<BottleSpec, BottleStatus>

/** What a bottle is made of: read from a file of the original, or from a Compose project. */
export interface BottleManifest {
  readonly name: string
  readonly spec: BottleSpec
}
