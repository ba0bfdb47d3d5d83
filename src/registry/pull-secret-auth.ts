import { authOf, parseDockerConfig } from './docker-config.ts'
import { canonicalRegistry, parseImageReference } from './reference.ts'
import type { RegistryAuth } from './types.ts'

/**
 * The credentials for an image in texts of docker's `config.json`, as Kubernetes finds them in pull secrets
 * (pkg/credentialprovider): a key is a registry, whose parts may be `*`, and may go on with the beginning of a path, as in
 * `registry.example/team`. The longest key that fits is the one; of equals the first. What is no such text holds nothing.
 *
 * @throws {StatusError} `invalid_argument` for a bad reference
 */
export function pullSecretAuth(reference: string, configs: readonly string[]): RegistryAuth | undefined {
  const { registry, path } = parseImageReference(reference)
  const found = configs
    .flatMap((text) => Object.entries(parseDockerConfig(text)?.auths ?? {}))
    .map(([key, entry]) => ({ key: parseKey(key), auth: authOf(entry) }))
    .filter(({ key }) => matches(key, registry, path))
    .toSorted((a, b) => b.key.path.length - a.key.path.length || b.key.host.length - a.key.host.length)
  return found.find(({ auth }) => auth !== undefined)?.auth
}

interface Key {
  readonly host: string
  /** Without slashes at its ends; empty: all of the registry. */
  readonly path: string
}

/** Keys are hosts and paths, or URLs of an older time: `https://index.docker.io/v1/` is Docker Hub. */
function parseKey(text: string): Key {
  const [, host = '', path = ''] = /^(?:https?:\/\/)?([^/]*)\/?(.*)$/s.exec(text) ?? []
  return { host: canonicalRegistry(host), path: path.replace(/^v[12](?:\/|$)/, '').replace(/\/+$/, '') }
}

function matches({ host, path }: Key, registry: string, ofImage: string): boolean {
  const [globs, parts] = [host.split('.'), registry.split('.')]
  if (globs.length !== parts.length || !globs.every((glob, index) => fits(glob, parts[index]!))) return false
  return path === '' || ofImage === path || ofImage.startsWith(`${path}/`)
}

/** A `*` stands for any run of characters within one part of a host; ports are as they are. */
function fits(glob: string, part: string): boolean {
  const pattern = glob.split('*').map(RegExp.escape).join('[^:]*')
  return new RegExp(`^${pattern}$`).test(part)
}
