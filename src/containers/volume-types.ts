import type { Ctx } from '../lib/ctx.ts'
import type { LabelTerm } from '../model/label-term.ts'
import type { Labels } from '../model/meta.ts'
import type { Pruned, PruneFilter } from '../model/prune.ts'
import type { Volume } from '../model/volume.ts'

export interface CreateVolume {
  /** Absent: 64 hex digits, and the volume counts as anonymous. */
  readonly name?: string
  readonly labels?: Labels
}

export interface VolumeFilter {
  readonly names?: readonly string[]
  readonly labels?: readonly LabelTerm[]
  /** Whether no container uses it. */
  readonly dangling?: boolean
}

/** A volume as a user sees it. */
export interface VolumeView {
  readonly volume: Volume
  /** Of the host, where its files are. */
  readonly mountPoint: string
  /** Names of the containers that use it. */
  readonly containers: readonly string[]
}

export interface VolumeUsage extends VolumeView {
  /** On disk. */
  readonly usedBytes: number
}

export interface Volumes {
  /** The one of that name, if there is one. @throws {StatusError} `invalid_argument` */
  create(ctx: Ctx, request: CreateVolume): Promise<VolumeView>
  list(filter?: VolumeFilter): VolumeView[]
  /** @throws {StatusError} `not_found` */
  find(name: string): VolumeView
  /** @throws {StatusError} `not_found`; `conflict` while containers use it */
  remove(ctx: Ctx, name: string): Promise<void>
  /** What each has on disk. */
  usage(ctx: Ctx): Promise<VolumeUsage[]>
  /** Removes the volumes that no container uses: those without a name, with `all` every one. */
  prune(ctx: Ctx, filter?: PruneFilter & { readonly all?: boolean }): Promise<Pruned>
}
