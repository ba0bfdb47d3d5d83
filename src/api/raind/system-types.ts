/** The wire of /v1/system. Sizes are bytes on disk. */
import { boolean, object, optional } from '../../lib/schema.ts'
import type { ContainerState } from '../../model/container.ts'
import type { CheckedFinding } from '../../model/finding.ts'
import type { WirePruned } from './prune.ts'

/** What the daemon says of itself and of its host. */
export interface WireDaemon {
  readonly version: string
  readonly node: string
  readonly pid: number
  readonly uptimeMs: number
  readonly root: string
  readonly run: string
  readonly socket: string
  /** Where TLS is served; empty: nowhere. */
  readonly listen: string
  readonly logLevel: string
  readonly host: {
    readonly name: string
    readonly os: string
    readonly kernel: string
    readonly architecture: string
    readonly cpus: number
    readonly memoryBytes: number
    /** `hybrid`: version 1 has the controllers. */
    readonly cgroups: 'v1' | 'v2' | 'hybrid'
    /** The profile that containers get; empty where there is none. */
    readonly apparmor: string
  }
  readonly runtimes: readonly WireRuntime[]
  readonly network: { readonly default: string; readonly subnet: string; readonly pool: string; readonly dns: boolean }
  readonly store: {
    readonly file: string
    readonly sizeBytes: number
    /** Of the file system that has the root. */
    readonly freeBytes: number
    readonly totalBytes: number
  }
  /** What of this host containers do without, in words. */
  readonly warnings: readonly string[]
}

export interface WireRuntime {
  readonly name: 'crun' | 'runc'
  /** Empty if it is not installed. */
  readonly path: string
  readonly version: string
  readonly used: boolean
  /** Why it is used, or is not. */
  readonly why: string
}

export interface WireSystemInfo extends WireDaemon {
  readonly containers: { readonly total: number } & Partial<Readonly<Record<ContainerState, number>>>
  readonly images: { readonly total: number; readonly untagged: number }
  readonly networks: number
}

export interface WireSpace {
  readonly total: number
  /** Of these in use. */
  readonly active: number
  readonly sizeBytes: number
  /** What pruning all would give back. */
  readonly reclaimableBytes: number
}

export interface WireDiskUsage {
  /** The sizes are those of the unpacked layers, each once. */
  readonly images: WireSpace & {
    readonly items: readonly {
      readonly id: string
      readonly repository: string
      readonly reference: string
      /** With what it shares with others. */
      readonly sizeBytes: number
      readonly inUse: boolean
    }[]
  }
  /** What they have written into their root file systems. */
  readonly containers: WireSpace & {
    readonly items: readonly {
      readonly containerId: string
      readonly name: string
      readonly state: ContainerState
      readonly sizeBytes: number
      readonly logBytes: number
    }[]
  }
  readonly volumes: WireSpace & {
    readonly items: readonly { readonly name: string; readonly sizeBytes: number; readonly containers: number }[]
  }
  /** Images as they came from registries. */
  readonly blobs: WireSpace
  readonly logs: WireSpace
}

/** `repair`: mend what can be mended without loss. */
export const systemCheckBody = object({ repair: optional(boolean()) })

export interface WireSystemCheck {
  /** Nothing was found, or all of it was mended. */
  readonly ok: boolean
  readonly findings: readonly CheckedFinding[]
}

export interface WireSystemPruned {
  readonly containers: WirePruned
  readonly networks: WirePruned
  /** Only if asked for. */
  readonly volumes?: WirePruned
  readonly images: WirePruned
  /** Of all of them. */
  readonly reclaimedBytes: number
}
