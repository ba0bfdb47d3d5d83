import { StatusError } from '../lib/errors.ts'
import { type Digest, isDigest } from '../model/digest.ts'

/** The name of an image, in full. At least one of `tag` and `digest` is there; if both are, the digest decides. */
export interface ImageReference {
  /** Host and port: `docker.io`, `localhost:5000`. Lower case. */
  readonly registry: string
  /** The repository's name within the registry: `library/alpine`. */
  readonly path: string
  readonly tag?: string
  readonly digest?: Digest
}

export const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_ALIASES = new Set(['index.docker.io', 'registry-1.docker.io'])

const MAX_LENGTH = 700
const MAX_PATH_LENGTH = 255

const REGISTRY =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]+)?$/
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const LOOKS_LIKE_ID = /^[0-9a-f]{64}$/

/**
 * Parses what people write, `[registry/]path[:tag][@digest]`, by the grammar of distribution/reference. As Docker does,
 * a first part that has no `.` or `:` and is not `localhost` belongs to the path, the registry is then docker.io, and
 * its paths of one part lie below `library/`. Without tag and digest the tag is `latest`.
 *
 * @throws {StatusError} `invalid_argument`
 */
export function parseImageReference(text: string): ImageReference {
  if (text === '') throw new StatusError('invalid_argument', 'The image reference is empty')
  if (text.length > MAX_LENGTH) throw invalid(text, `it is longer than ${MAX_LENGTH} characters`)
  const { name, tag, digest } = splitName(text)
  const { registry, path } = splitRegistry(name)
  checkRegistry(text, registry)
  checkPath(text, path, name)
  if (tag !== undefined && !TAG.test(tag)) {
    throw invalid(text, `the tag "${tag}" is not 1 to 128 letters, digits, "_", "." and "-"`)
  }
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'the digest is not sha256: and 64 hex digits')
  return {
    registry,
    path,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** A registry by itself, as people write it: `host[:port]`, also as a URL. @throws {StatusError} `invalid_argument` */
export function parseRegistry(text: string): string {
  const registry = canonicalRegistry(text.replace(/^https?:\/\//i, '').replace(/\/.*$/, ''))
  const isHost = registry === 'localhost' || /[.:]/.test(registry)
  if (!isHost) throw invalid(text, 'it is not a registry, a host name with a dot or a port')
  checkRegistry(text, registry)
  return registry
}

/** The one spelling of a reference, in full: `docker.io/library/alpine:latest`, `host:5000/a/b:1@sha256:...`. */
export function formatImageReference({ registry, path, tag, digest }: ImageReference): string {
  return `${registry}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** As /v1 shows it: docker.io goes without saying, and the reference is the digest, or else the tag. */
export function wireNames({ registry, path, tag, digest }: ImageReference): { repository: string; reference: string } {
  return {
    repository: registry === DOCKER_HUB ? path : `${registry}/${path}`,
    reference: digest ?? tag ?? 'latest',
  }
}

/** One name a registry: its aliases taken back to `docker.io`, in lower case. */
export function canonicalRegistry(host: string): string {
  const lower = host.toLowerCase()
  return DOCKER_HUB_ALIASES.has(lower) ? DOCKER_HUB : lower
}

function splitName(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@')
  const beforeDigest = at < 0 ? text : text.slice(0, at)
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1)
  return {
    name: colon < 0 ? beforeDigest : beforeDigest.slice(0, colon),
    tag: colon < 0 ? undefined : beforeDigest.slice(colon + 1),
    digest: at < 0 ? undefined : text.slice(at + 1),
  }
}

function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const isRegistry = /[.:]/.test(first) || first === 'localhost'
  const registry = isRegistry ? canonicalRegistry(first) : DOCKER_HUB
  const path = isRegistry ? name.slice(slash + 1) : name
  return { registry, path: registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path }
}

function checkRegistry(text: string, registry: string): void {
  // The grammar lets pass what is no host to anybody: a port of 70000, an address of five numbers.
  if (registry.length > 255 || !REGISTRY.test(registry) || !URL.canParse(`https://${registry}`)) {
    throw invalid(text, `"${registry}" is not a registry's host name and port`)
  }
}

function checkPath(text: string, path: string, name: string): void {
  if (/[A-Z]/.test(path)) throw invalid(text, 'a repository name must be in lower case')
  if (!PATH.test(path)) {
    throw invalid(text, 'a repository name is made of letters, digits and single ".", "_" or "-" between them')
  }
  if (path.length > MAX_PATH_LENGTH) throw invalid(text, `its repository name is longer than ${MAX_PATH_LENGTH}`)
  if (LOOKS_LIKE_ID.test(name)) throw invalid(text, '64 hex digits are an id, not a name')
}

function invalid(text: string, why: string): StatusError {
  return new StatusError('invalid_argument', `Invalid image reference ${JSON.stringify(text.slice(0, 200))}: ${why}`)
}
