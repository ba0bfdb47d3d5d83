import type { Ctx } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { dockerConfigAuth } from './docker-config.ts'
import { isLoopback } from './loopback.ts'
import { canonicalRegistry, DOCKER_HUB, type ImageReference } from './reference.ts'
import type { Trust } from './transport.ts'
import type { RegistryAuth, RegistryClientOptions, RegistryConfig } from './types.ts'

/** One server that has the repository: a mirror, or the registry itself. */
export interface Endpoint {
  /** Host and port. */
  readonly host: string
  /** Host alone. */
  readonly hostname: string
  /** In the order to be tried. */
  readonly schemes: readonly ('https' | 'http')[]
  /** The repository's name on this server. */
  readonly repository: string
  readonly trust: Trust
  readonly auth: RegistryAuth | undefined
  readonly tokenRealms: readonly string[]
  readonly isMirror: boolean
}

type Registries = Omit<RegistryClientOptions, 'limits'>

/** Where to ask for a repository, in this order. The registry itself comes last, and only it gets the call's `auth`. */
export async function endpointsOf(
  ctx: Ctx,
  options: Registries,
  { registry, path }: ImageReference,
  auth: RegistryAuth | undefined,
): Promise<readonly Endpoint[]> {
  const mirrors = configOf(options, registry).mirrors ?? []
  return await Promise.all([
    ...mirrors.map((mirror) => mirrorEndpoint(ctx, options, mirror, path)),
    originOf(ctx, options, { registry, path }, auth),
  ])
}

/** Whether what the endpoint points to may be fetched without TLS: what stays on this machine, or what the admin allows. */
export function mayBePlain({ schemes, trust }: Endpoint, url: URL): boolean {
  if (!schemes.includes('http')) return false
  return !trust.verify || !schemes.includes('https') || isLoopback(url.hostname)
}

/** The `Authorization` of scheme Basic; undefined without a user name. */
export function basicHeader({ auth }: Endpoint): string | undefined {
  if (!auth?.username) return undefined
  return `Basic ${Buffer.from(`${auth.username}:${auth.password ?? ''}`).toString('base64')}`
}

/** The registry itself. */
export async function originOf(
  ctx: Ctx,
  options: Registries,
  { registry, path: repository }: Pick<ImageReference, 'registry' | 'path'>,
  auth: RegistryAuth | undefined,
): Promise<Endpoint> {
  const host = registry === DOCKER_HUB ? 'registry-1.docker.io' : registry
  const own = hasSecret(auth) ? auth : await configuredAuth(ctx, options, registry)
  return { ...endpoint(host, configOf(options, registry)), repository, auth: own, isMirror: false }
}

async function mirrorEndpoint(ctx: Ctx, options: Registries, mirror: string, path: string): Promise<Endpoint> {
  const match = /^(?:(https?):\/\/)?([^/\s?#@]+)\/?([^?#\s]*?)\/?$/i.exec(mirror)
  const host = match?.[2]?.toLowerCase() ?? ''
  if (match === null || !URL.canParse(`https://${host}`)) {
    throw new StatusError(
      'failed_precondition',
      `The mirror "${mirror}" in the configuration is not of the form [http[s]://]host[:port][/path]`,
    )
  }
  const scheme = match[1]?.toLowerCase()
  const prefix = match[3]!
  const base = endpoint(host, configOf(options, canonicalRegistry(host)))
  return {
    ...base,
    schemes: scheme === 'http' || scheme === 'https' ? [scheme] : base.schemes,
    repository: prefix === '' ? path : `${prefix}/${path}`,
    auth: await configuredAuth(ctx, options, canonicalRegistry(host)),
    isMirror: true,
  }
}

function endpoint(host: string, { insecure = false, caFile, tokenRealms = [] }: RegistryConfig) {
  const { hostname } = new URL(`https://${host}`)
  // As for Docker, what stays on this machine may be plain http.
  const schemes = insecure || isLoopback(hostname) ? (['https', 'http'] as const) : (['https'] as const)
  return { host, hostname, schemes, trust: { verify: !insecure, ...(caFile && { caFile }) }, tokenRealms }
}

async function configuredAuth(ctx: Ctx, options: Registries, registry: string): Promise<RegistryAuth | undefined> {
  const { auth } = configOf(options, registry)
  if (hasSecret(auth)) return auth
  return options.dockerConfigFile === undefined
    ? undefined
    : await dockerConfigAuth(ctx.log, options.dockerConfigFile, registry)
}

function configOf({ registries }: Registries, registry: string): RegistryConfig {
  const key = Object.keys(registries).find((host) => canonicalRegistry(host) === registry)
  return key === undefined ? {} : registries[key]!
}

export function hasSecret(auth: RegistryAuth | undefined): auth is RegistryAuth {
  return Boolean(auth?.username || auth?.identityToken || auth?.registryToken)
}
