import type { Ctx } from '../lib/ctx.ts'
import type { ChainId } from '../model/digest.ts'
import type { CheckedFinding } from '../model/finding.ts'
import type { Image, Platform } from '../model/image.ts'
import type { LabelTerm } from '../model/label-term.ts'
import type { Pruned } from '../model/prune.ts'
import type { RegistryAuth } from '../registry/index.ts'
import type { ImagesDiskUsage } from './disk-usage.ts'
import type { HistoryEntry } from './history.ts'
import type { ImageLease } from './lease.ts'
import type { PullProgress } from './progress.ts'
import type { PruneOptions } from './prune.ts'
import type { PushOptions } from './push.ts'
import type { SaveFormat } from './save.ts'
import type { ImageDetails, ImageStatus, ImageUsage } from './status.ts'

export interface PullOptions {
  /** For this pull; never stored, never logged. */
  readonly auth?: RegistryAuth
  /** What is absent is this host's. */
  readonly platform?: Partial<Platform>
  /** It ends with the context, unless somebody else wants it. */
  readonly endsWithCaller?: boolean
}

export interface LoadOptions {
  /** The reference under which the archive's one image is stored, instead of the one it brings. */
  readonly name?: string
}

export interface ImageFilter {
  readonly labels?: readonly LabelTerm[]
  /** With `*` for any run without a slash: `alpine`, `alpine:3*`, `team/*`. */
  readonly references?: readonly string[]
  /** Whether its tag has moved on. */
  readonly untagged?: boolean
}

/** Since the start of the daemon; who joins a pull does not count again. */
export interface PullCounts {
  readonly running: number
  readonly succeeded: number
  readonly failed: number
}

export interface Images extends AsyncDisposable {
  /**
   * Begins at once, and goes on when nobody reads its progress any more; `ctx` ends only the reading, unless
   * `endsWithCaller`. Who asks for the same while it runs joins it. The last item is `done`; failure is thrown by the iteration, a bad reference at once.
   */
  pull(ctx: Ctx, reference: string, options?: PullOptions): AsyncIterable<PullProgress>
  /**
   * Pushes an image to the registry of its name: its manifest byte for byte, and of its blobs what the registry lacks.
   * Runs, is joined and is followed like `pull`. @throws {StatusError} at once: `not_found`, `invalid_argument` without a tag
   */
  push(ctx: Ctx, reference: string, options?: PushOptions): AsyncIterable<PullProgress>
  pulls(): PullCounts
  /** Whether a registry takes these credentials. @throws {StatusError} `unauthenticated` if not */
  checkLogin(ctx: Ctx, registry: string, auth: RegistryAuth): Promise<void>
  /**
   * Takes an OCI image layout or a docker-archive as a tar stream in, plain or compressed with gzip or zstd; one `done`
   * for each name that it brings. All are stored, or none.
   */
  load(ctx: Ctx, tar: AsyncIterable<Uint8Array>, options?: LoadOptions): AsyncIterable<PullProgress>
  /**
   * Images as a tar stream whose blobs are byte for byte what was pulled or loaded.
   * @throws {StatusError} by the iteration, before its first item: `not_found`, `failed_precondition` if layers were not kept
   */
  save(ctx: Ctx, references: readonly string[], format: SaveFormat): AsyncIterable<Uint8Array>
  /** Gives an image a further name, and takes that from what had it. @throws {StatusError} `not_found`, `invalid_argument` */
  tag(ctx: Ctx, reference: string, target: string): Promise<Image>
  /** A name, or an image's id or the first 12 digits of one. @throws {StatusError} `not_found`, like the others that take a reference */
  get(reference: string): Image
  list(filter?: ImageFilter): Image[]
  status(reference: string): ImageStatus
  usage(reference: string): ImageUsage
  diskUsage(): Promise<ImagesDiskUsage>
  inspect(reference: string): ImageDetails
  /** How it was made, the newest step first. */
  history(reference: string): Promise<HistoryEntry[]>
  /** @throws {StatusError} `conflict` if a container uses it */
  remove(ctx: Ctx, reference: string): Promise<void>
  /** The directories of these layers, top first as overlay takes them. */
  layerDirectories(chainIds: readonly ChainId[]): readonly string[]
  /** `using lease = images.lease(reference)`: its layers are not collected meanwhile. */
  lease(reference: string): ImageLease
  /** Removes images that no container uses, those without a tag or all, and what is kept for no image. */
  prune(ctx: Ctx, options?: PruneOptions): Promise<Pruned>
  /** Removes the layers and blobs that nothing needs; resolves with their bytes. Safe at any time. */
  collect(ctx: Ctx): Promise<number>
  /** At boot, before any other verb. */
  recover(ctx: Ctx): Promise<void>
  /** Where the records of images and layers disagree with the disk; with `repair` what can be mended is. Safe at any time. */
  check(ctx: Ctx, options?: { readonly repair?: boolean }): Promise<CheckedFinding[]>
}
