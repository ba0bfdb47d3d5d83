import type { Backoff } from '../lib/backoff.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Descriptor, Platform } from '../model/image.ts'
import type { ImageReference } from './reference.ts'

/** Credentials for one registry. They travel with a call and are never stored or logged. */
export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  /** An OAuth2 refresh token: exchanged for access tokens at the token server. */
  readonly identityToken?: string
  /** Sent to the registry as it is, as a Bearer token. */
  readonly registryToken?: string
}

/** What the daemon's configuration says about one registry, by its host (`docker.io`, `localhost:5000`). */
export interface RegistryConfig {
  /**
   * Asked in this order before the registry itself: `[http[s]://]host[:port][/path]`, where the path goes before the
   * repository's. A mirror gets the credentials that are configured for its own host, never the registry's.
   */
  readonly mirrors?: readonly string[]
  /** Certificates are not verified, and plain http is used if the registry does not speak TLS. */
  readonly insecure?: boolean
  /** PEM file of certificate authorities that are trusted besides the usual ones. */
  readonly caFile?: string
  /** Hosts of token servers that may get this registry's credentials, besides those of its own domain. */
  readonly tokenRealms?: readonly string[]
  readonly auth?: RegistryAuth
}

/** How long to wait, and how often to try again. */
export interface Limits {
  /** For TCP and TLS to be up. */
  readonly connectTimeoutMs: number
  /** From then on to the first byte of the answer. */
  readonly responseTimeoutMs: number
  /** Between two pieces of a body. A body as a whole may take as long as it needs. */
  readonly idleTimeoutMs: number
  /** Requests sent at most where one would do; bodies that break off have this many tries without progress. */
  readonly tries: number
  readonly backoff: Backoff
  /** A registry that asks for a longer pause (`Retry-After`) is not waited for. */
  readonly maxPauseMs: number
}

export interface RegistryClientOptions {
  readonly registries: Readonly<Record<string, RegistryConfig>>
  /** Docker's `config.json`, read at each use. */
  readonly dockerConfigFile?: string
  readonly limits?: Partial<Limits>
}

/** An image as its registry describes it. */
export interface ResolvedImage {
  /** What the reference names: an index, or the manifest itself. */
  readonly target: Descriptor
  readonly manifest: Descriptor
  readonly config: Descriptor
  /** Bottom first. */
  readonly layers: readonly Descriptor[]
  /** The bytes of the target, of indexes between and of the manifest, each once, each verified against its digest. */
  readonly documents: readonly Document[]
}

export interface Document {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

/** A blob that is here and shall be in a repository. */
export interface BlobSource {
  readonly descriptor: Descriptor
  /** Its bytes from `offset` on. */
  open(offset: number): Promise<AsyncIterable<Uint8Array>>
  /** A repository of the same registry that may have it: its name within the registry. */
  readonly mountFrom?: string
  /** Gets the bytes sent so far. */
  onProgress?(bytes: number): void
}

/** How a blob came to be in a repository. */
export type Pushed = 'exists' | 'mounted' | 'uploaded'

export interface RegistryClient {
  /**
   * @throws {StatusError} `not_found` (no such image, or none for the platform), `unauthenticated`,
   * `permission_denied`, `unavailable`, `resource_exhausted` (too many requests), `failed_precondition` (a
   * certificate or a setting is in the way), `invalid_argument` (what came is not an image)
   */
  resolve(
    ctx: Ctx,
    ref: ImageReference,
    options: { readonly auth?: RegistryAuth; readonly platform: Platform },
  ): Promise<ResolvedImage>
  /**
   * The bytes of a blob from `offset` on, at most up to the descriptor's size; the caller verifies the digest. A
   * connection that breaks is taken up again where it broke. Ends with the context.
   * @throws {StatusError} as `resolve`; `unimplemented` if the registry cannot start at `offset`
   */
  fetchBlob(
    ctx: Ctx,
    ref: ImageReference,
    descriptor: Descriptor,
    options?: { readonly auth?: RegistryAuth; readonly offset?: number },
  ): Promise<AsyncIterable<Uint8Array>>
  /** Brings a blob into the repository of `ref`, to the registry itself. @throws {StatusError} as `resolve` */
  pushBlob(ctx: Ctx, ref: ImageReference, blob: BlobSource, options?: WithAuth): Promise<Pushed>
  /** Stores a manifest under the tag of `ref`, or else by its digest; what it names is there. @throws {StatusError} as `resolve` */
  pushManifest(ctx: Ctx, ref: ImageReference, manifest: Document, options?: WithAuth): Promise<void>
  /** Whether a registry takes these credentials. @throws {StatusError} `unauthenticated` if not; as `resolve` */
  checkLogin(ctx: Ctx, registry: string, auth: RegistryAuth): Promise<void>
}

interface WithAuth {
  readonly auth?: RegistryAuth
}
