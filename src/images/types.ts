import type { Ctx } from '../lib/ctx.ts'
import type { ChainId } from '../model/digest.ts'
import type { Image, Platform } from '../model/image.ts'
import type { RegistryAuth } from '../registry/index.ts'
import type { ImageLease } from './lease.ts'
import type { PullProgress } from './progress.ts'
import type { ImageStatus, ImageUsage } from './status.ts'

export interface PullOptions {
  /** For this pull; never stored, never logged. */
  readonly auth?: RegistryAuth
  /** What is absent is this host's. */
  readonly platform?: Partial<Platform>
}

export interface LoadOptions {
  /** The reference under which the archive's one image is stored, instead of the one it brings. */
  readonly name?: string
}

export interface Images extends AsyncDisposable {
  /**
   * Begins at once, and goes on when nobody reads its progress any more; `ctx` ends only the reading. Who asks for the
   * same while it runs joins it. The last item is `done`; failure is thrown by the iteration, a bad reference at once.
   */
  pull(ctx: Ctx, reference: string, options?: PullOptions): AsyncIterable<PullProgress>
  /** Takes an OCI image layout as a tar stream in; one `done` for each image of it. All are stored, or none. */
  load(ctx: Ctx, tar: AsyncIterable<Uint8Array>, options?: LoadOptions): AsyncIterable<PullProgress>
  /** @throws {StatusError} `not_found`, like the others that take a reference */
  get(reference: string): Image
  list(): Image[]
  status(reference: string): ImageStatus
  usage(reference: string): ImageUsage
  /** @throws {StatusError} `conflict` if a container uses it */
  remove(ctx: Ctx, reference: string): Promise<void>
  /** The directories of these layers, top first as overlay takes them. */
  layerDirectories(chainIds: readonly ChainId[]): readonly string[]
  /** `using lease = images.lease(reference)`: its layers are not collected meanwhile. */
  lease(reference: string): ImageLease
  /** Removes the layers and blobs that nothing needs. Safe at any time. */
  collect(ctx: Ctx): Promise<void>
  /** At boot, before any other verb. */
  recover(ctx: Ctx): Promise<void>
}
