import { readFile } from 'node:fs/promises'
import { messageOf, StatusError, systemCode } from '../lib/errors.ts'
import { array, boolean, integer, map, object, oneOf, optional, parse, type Static, string } from '../lib/schema.ts'

const text = string({ minLength: 1, maxLength: 4096 })
const path = string({ pattern: '^/', maxLength: 4096, description: 'an absolute path' })
const host = string({
  pattern: '^(?:[a-z]+://)?[A-Za-z0-9.\\-\\[\\]:]+(?:/[^?#]*)?$',
  description: 'a host, as in mirror.example:5000',
})

const registry = object({
  mirrors: optional(array(host)),
  insecure: optional(boolean()),
  caFile: optional(path),
  tokenRealms: optional(array(host)),
  auth: optional(
    object({
      username: optional(text),
      password: optional(text),
      identityToken: optional(text),
      registryToken: optional(text),
    }),
  ),
})

/** The configuration file: everything may be absent. Sizes are `10m`, `1g` ... */
export const fileSchema = object({
  root: optional(path),
  run: optional(path),
  socket: optional(path),
  listen: optional(text),
  certDir: optional(path),
  bridge: optional(text),
  subnet: optional(text),
  serviceSubnet: optional(text),
  /** Where networks with IPv6 take their addresses from; by default a random prefix of this daemon's own. */
  subnet6: optional(text),
  /** The default network's gateway, by default the 254th address of the subnet. */
  gateway: optional(text),
  /** Whether gateways answer DNS; if not, containers ask the servers of the host. */
  dns: optional(boolean()),
  runtime: optional(oneOf('auto', 'crun', 'runc')),
  logLevel: optional(oneOf('debug', 'info', 'warn', 'error')),
  /** The cgroup above all containers. */
  cgroupParent: optional(path),
  /** Seconds a container has between its stop signal and SIGKILL. */
  stopTimeout: optional(integer({ minimum: 0, maximum: 86_400 })),
  containerLogs: optional(
    object({ maxSize: optional(text), maxFiles: optional(integer({ minimum: 2, maximum: 100 })) }),
  ),
  images: optional(
    object({
      parallelDownloads: optional(integer({ minimum: 1, maximum: 16 })),
      /** Keep compressed layers, so that saving and pushing reproduces their digests. */
      keepLayerBlobs: optional(boolean()),
      /** Free disk space that images never take. */
      reserve: optional(text),
    }),
  ),
  /** `listen`: a loopback address and port; `tokenFile`: who scrapes sends what is in it, as `Authorization: Bearer`. */
  metrics: optional(object({ listen: text, tokenFile: path })),
  /** By host: `docker.io`, `registry.example:5000`. */
  registries: optional(map(registry)),
  /** Docker's config.json, for credentials. */
  dockerConfigFile: optional(path),
})
export type FileConfig = Static<typeof fileSchema>

/**
 * Reads the file. One that is not there is empty if `mayBeAbsent`.
 * @throws {StatusError} `not_found`; `invalid_argument`, naming the key
 */
export async function readConfigFile(file: string, mayBeAbsent: boolean): Promise<FileConfig> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && mayBeAbsent) return {}
    throw new StatusError('not_found', `Cannot read the configuration: ${messageOf(error)}`, { cause: error })
  }
  return parse(fileSchema, (await parseYaml(file, content)) ?? {}, `Configuration ${file}`)
}

async function parseYaml(file: string, content: string): Promise<unknown> {
  // Loaded only where there is a file: the parser takes 8 MB.
  const { parse: parseDocument } = await import('yaml')
  try {
    return parseDocument(content)
  } catch (error) {
    throw new StatusError('invalid_argument', `Configuration ${file} is not valid YAML: ${messageOf(error)}`)
  }
}
