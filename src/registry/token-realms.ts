import { isIP } from 'node:net'

/** Suffixes below which every name may belong to somebody else, besides top-level domains. */
const SHARED_SUFFIXES = new Set([
  'amazonaws.com',
  'azurecr.io',
  'cloudfront.net',
  'github.io',
  'pkg.dev',
  'run.app',
  'azurewebsites.net',
  'herokuapp.com',
  'fly.dev',
  'onrender.com',
  'duckdns.org',
])
/** Second-level names that countries give out domains below: `co.uk`, `com.au`. */
const SECOND_LEVEL = new Set(['ac', 'co', 'com', 'edu', 'gob', 'gov', 'go', 'mil', 'ne', 'net', 'nom', 'or', 'org'])

/**
 * Whether a registry's credentials may go to a token server: it is on the same host, of the same registrable domain
 * (`auth.docker.io` for `registry-1.docker.io`), or named in the configuration.
 */
export function mayGetCredentials(
  registryHost: string,
  realmHost: string,
  configured: readonly string[] = [],
): boolean {
  const registry = registryHost.toLowerCase()
  const realm = realmHost.toLowerCase()
  if (registry === realm) return true
  if (configured.some((host) => host.toLowerCase() === realm)) return true
  const domain = registrableDomain(registry)
  return domain !== undefined && domain === registrableDomain(realm)
}

/** What one owner has registered; a guess that errs towards too small. Undefined for what has no owner to share. */
function registrableDomain(host: string): string | undefined {
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) return undefined
  const labels = host.split('.')
  if (labels.length < 2) return undefined
  const country = labels.at(-1)!.length === 2 && SECOND_LEVEL.has(labels.at(-2)!)
  if (SHARED_SUFFIXES.has(labels.slice(-2).join('.'))) return host
  return country ? (labels.length > 2 ? labels.slice(-3).join('.') : undefined) : labels.slice(-2).join('.')
}
