import { isIPv4 } from 'node:net'
import { isAbsolute, join, normalize } from 'node:path'
import { SOCKET_PATH_LIMIT } from '../api/http/unix-socket.ts'
import type { ImagePolicy } from '../images/index.ts'
import { StatusError } from '../lib/errors.ts'
import { isLogLevel, type LogLevel } from '../lib/log.ts'
import { version } from '../lib/version.ts'
import type { NetworkSpec } from '../model/network.ts'
import { parseBytes } from '../model/quantity.ts'
import { parseContainerSubnet, parseSubnet, subnetsOverlap, subnetText } from '../model/subnet.ts'
import type { RegistryConfig } from '../registry/index.ts'
import { type FileConfig, readConfigFile } from './config-file.ts'
import { type Flags, HELP, parseFlags } from './flags.ts'
import { defaultNetwork } from './subnet.ts'

const DEFAULT_FILE = '/etc/condenser/config.yaml'
/** `<run>/containers/<id12>/attach` is the longest socket path below `run`. */
const LONGEST_BELOW_RUN = '/containers/0123456789ab/attach'.length

export interface Config {
  readonly root: string
  readonly run: string
  readonly socket: string
  /** Where TLS is served; undefined: nowhere. */
  readonly listen: { readonly host: string; readonly port: number } | undefined
  readonly certDir: string
  /** Where networks take their subnets from. */
  readonly subnet: string
  /** Where Services take their addresses from. */
  readonly serviceSubnet: string
  /** The same of IPv6; undefined: a random prefix of its own. */
  readonly subnet6: string | undefined
  /** The network of containers that name none. */
  readonly network: NetworkSpec
  readonly dns: boolean
  readonly runtime: 'auto' | 'crun' | 'runc'
  readonly logLevel: LogLevel
  readonly cgroupParent: string
  readonly stopTimeoutMs: number
  readonly containerLogs: { readonly maxBytes: number; readonly maxFiles: number }
  /** Where metrics are served to holders of a token, besides the API's own doors; undefined: nowhere. */
  readonly metrics: { readonly listen: NonNullable<Config['listen']>; readonly tokenFile: string } | undefined
  /** What is absent is the default. */
  readonly images: Partial<ImagePolicy>
  readonly registries: Readonly<Record<string, RegistryConfig>>
  readonly dockerConfigFile: string | undefined
}

/**
 * Flags, then the file, then the defaults. Undefined: only help or the version was asked for, and has been printed.
 * @throws {StatusError} `not_found`, `invalid_argument`
 */
export async function readConfig(words: readonly string[]): Promise<Config | undefined> {
  const flags = parseFlags(words)
  if (flags.help || flags.version) {
    process.stdout.write(flags.help ? HELP : `condenser ${version}\n`)
    return undefined
  }
  const file = await readConfigFile(flags.config ?? DEFAULT_FILE, flags.config === undefined)
  return completeConfig(flags, file)
}

/** Pure. @throws {StatusError} `invalid_argument` */
export function completeConfig(flags: Flags, file: FileConfig): Config {
  const root = directory('root', flags.root ?? file.root ?? '/var/lib/condenser')
  const run = directory('run', flags.run ?? file.run ?? '/run/condenser')
  const socket = directory('socket', flags.socket ?? file.socket ?? join(run, 'condenser.sock'))
  const longest = Math.max(Buffer.byteLength(socket), Buffer.byteLength(run) + LONGEST_BELOW_RUN)
  if (longest > SOCKET_PATH_LIMIT) {
    throw invalid(
      `run "${run}" or socket "${socket}" is too long: a socket's path has at most ${SOCKET_PATH_LIMIT} bytes`,
    )
  }
  if (root === run) throw invalid(`root and run must differ, but are both "${root}"`)
  const subnet = flags.subnet ?? file.subnet ?? '10.166.0.0/16'
  const { maxSize = '10m', maxFiles = 3 } = file.containerLogs ?? {}
  return {
    root,
    run,
    socket,
    listen: parseListen('listen', flags.listen ?? file.listen ?? '127.0.0.1:7755'),
    certDir: directory('certDir', flags.certDir ?? file.certDir ?? '/etc/raind/cert'),
    subnet,
    serviceSubnet: serviceSubnet(flags.serviceSubnet ?? file.serviceSubnet ?? '10.167.0.0/16', subnet),
    subnet6: file.subnet6 && subnetText(parseContainerSubnet(file.subnet6, 6)),
    network: defaultNetwork(bridgeName(flags.bridge ?? file.bridge ?? 'raind0'), subnet, file.gateway),
    dns: file.dns ?? true,
    runtime: parseRuntime(flags.runtime ?? file.runtime ?? 'auto'),
    logLevel: parseLogLevel(flags.logLevel ?? file.logLevel ?? 'info'),
    cgroupParent: cgroupPath(flags.cgroupParent ?? file.cgroupParent ?? '/condenser'),
    stopTimeoutMs: (file.stopTimeout ?? 10) * 1000,
    containerLogs: { maxBytes: parseBytes('containerLogs.maxSize', maxSize), maxFiles },
    metrics: file.metrics && metricsDoor(file.metrics),
    images: imagePolicy(file.images),
    registries: file.registries ?? {},
    dockerConfigFile: file.dockerConfigFile,
  }
}

function metricsDoor({ listen: text, tokenFile }: NonNullable<FileConfig['metrics']>): Config['metrics'] {
  const listen = parseListen('metrics.listen', text)
  if (listen === undefined) return undefined
  if (listen.host.startsWith('127.')) return { listen, tokenFile: directory('metrics.tokenFile', tokenFile) }
  throw invalid(
    `metrics.listen "${text}" is not a loopback address; from elsewhere metrics are read over TLS, where the API is`,
  )
}

function imagePolicy(images: FileConfig['images'] = {}): Partial<ImagePolicy> {
  const { reserve, ...rest } = images
  const bytes = reserve === undefined ? undefined : parseBytes('images.reserve', reserve)
  return {
    ...rest,
    // Asked for in bytes, it is kept in full, however small the disk.
    ...(bytes !== undefined && { reserve: { share: 1, bytes } }),
  }
}

function directory(name: string, path: string): string {
  if (!isAbsolute(path)) throw invalid(`${name} "${path}" is not an absolute path`)
  const normal = normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

function cgroupPath(path: string): string {
  if (!/^(?:\/[A-Za-z0-9_.:@-]+)+$/.test(path) || path.split('/').includes('..')) {
    throw invalid(`cgroupParent "${path}" is not a path of a cgroup, as in /condenser`)
  }
  return path
}

/** Of addresses that no link has: rules lead them to pods. */
function serviceSubnet(text: string, networks: string): string {
  const subnet = parseContainerSubnet(text, 4)
  if (!subnetsOverlap(subnet, parseSubnet(networks))) return text
  throw invalid(`serviceSubnet ${text} overlaps with subnet ${networks}: choose another one`)
}

/** IFNAMSIZ, and what iptables chains and sysctls take in their names. */
function bridgeName(name: string): string {
  if (!/^[a-zA-Z][a-zA-Z0-9_-]{0,14}$/.test(name)) {
    throw invalid(`bridge "${name}" is not a link name: 1 to 15 letters, digits, "_" and "-", starting with a letter`)
  }
  return name
}

function parseListen(name: string, text: string): Config['listen'] {
  if (text === 'none') return undefined
  const match = /^([^:]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || !isIPv4(match[1]!) || port < 1 || port > 65_535) {
    throw invalid(`${name} "${text}" is neither "none" nor an IPv4 address and a port, as in 127.0.0.1:7755`)
  }
  return { host: match[1]!, port }
}

function parseRuntime(name: string): Config['runtime'] {
  if (name === 'auto' || name === 'crun' || name === 'runc') return name
  throw invalid(`runtime "${name}" is not one of auto, crun, runc`)
}

function parseLogLevel(level: string): LogLevel {
  if (isLogLevel(level)) return level
  throw invalid(`log level "${level}" is not one of debug, info, warn, error`)
}

function invalid(problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid configuration: ${problem}`)
}
