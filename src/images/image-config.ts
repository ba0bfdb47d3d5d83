import { StatusError } from '../lib/errors.ts'
import { isObject } from '../lib/is-object.ts'
import { type DiffId, parseDigest } from '../model/digest.ts'
import type { ImageConfig, Platform } from '../model/image.ts'

/** An image's config document. */
export interface ParsedConfig {
  readonly platform: Platform
  readonly diffIds: readonly DiffId[]
  readonly imageConfig: ImageConfig
  /** ms; 0 if the document has none. */
  readonly builtAt: number
}

/** What a config may weigh: as much as a manifest may. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024

type Json = Readonly<Record<string, unknown>>

/**
 * Reads an OCI image config (config.md) or Docker's, which is its superset. Absent and null members take their
 * defaults; a member of a wrong type fails, because to ignore it could run the wrong program or as the wrong user.
 *
 * @throws {StatusError} `invalid_argument`
 */
export function parseImageConfig(bytes: Uint8Array): ParsedConfig {
  const root = object(parseJson(bytes), 'the document')
  const rootfs = object(root['rootfs'], 'rootfs')
  if (rootfs['type'] !== 'layers') throw invalid('rootfs.type is not "layers"')
  const config = root['config'] == null ? {} : object(root['config'], 'config')
  const variant = text(root, 'variant')
  return {
    platform: {
      os: text(root, 'os') || 'linux',
      architecture: text(root, 'architecture') || 'unknown',
      ...(variant === '' ? {} : { variant }),
    },
    diffIds: list(rootfs, 'diff_ids').map((diffId) => parseDigest(diffId) as DiffId),
    imageConfig: {
      entrypoint: list(config, 'Entrypoint'),
      cmd: list(config, 'Cmd'),
      env: list(config, 'Env').filter((entry) => entry.indexOf('=') > 0),
      user: text(config, 'User'),
      workingDir: text(config, 'WorkingDir'),
      stopSignal: text(config, 'StopSignal'),
      labels: labels(config),
      exposedPorts: keys(config, 'ExposedPorts'),
      volumes: keys(config, 'Volumes'),
      ...healthcheck(config),
    },
    builtAt: Math.max(0, Date.parse(text(root, 'created')) || 0),
  }
}

/** Docker's HealthConfig: times in ns, of which 0 means the default. */
function healthcheck(config: Json): Pick<ImageConfig, 'healthcheck'> {
  if (config['Healthcheck'] == null) return {}
  const from = object(config['Healthcheck'], 'Healthcheck')
  const times = {
    intervalMs: milliseconds(from, 'Interval', MIN_INTERVAL_MS),
    timeoutMs: milliseconds(from, 'Timeout'),
    startPeriodMs: milliseconds(from, 'StartPeriod'),
    startIntervalMs: milliseconds(from, 'StartInterval', MIN_INTERVAL_MS),
    retries: positive(from, 'Retries'),
  }
  const given = Object.entries(times).filter(([, value]) => value !== undefined)
  return { healthcheck: { test: list(from, 'Test'), ...Object.fromEntries(given) } }
}

/** An image does not get to spend all of a processor on probes; who runs it may. */
const MIN_INTERVAL_MS = 100
/** The longest that a timer takes; some 24 days. */
const MAX_MS = 2 ** 31 - 1

function milliseconds(from: Json, key: string, minimum = 1): number | undefined {
  const ns = positive(from, key)
  return ns === undefined ? undefined : Math.min(Math.max(minimum, Math.round(ns / 1e6)), MAX_MS)
}

function positive(from: Json, key: string): number | undefined {
  const value = from[key] ?? 0
  if (typeof value !== 'number' || value < 0) throw invalid(`Healthcheck.${key} is not a number from 0`)
  return value === 0 ? undefined : value
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new StatusError('invalid_argument', 'Invalid image config: it is not JSON', { cause })
  }
}

function object(value: unknown, what: string): Json {
  if (!isObject(value)) throw invalid(`${what} is not an object`)
  return value as Json
}

/** NUL would cut the string short in the kernel: refused wherever text may end up in a system call. */
function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(`${what} is not a string`)
  if (value.includes('\0')) throw invalid(`${what} contains a NUL character`)
  return value
}

function text(from: Json, key: string): string {
  return from[key] == null ? '' : string(from[key], key)
}

function list(from: Json, key: string): readonly string[] {
  const value = from[key] ?? []
  if (!Array.isArray(value)) throw invalid(`${key} is not a list`)
  return value.map((entry) => string(entry, `an entry of ${key}`))
}

/** Go's `map[string]struct{}`: only the keys say something. */
function keys(from: Json, key: string): readonly string[] {
  return from[key] == null ? [] : Object.keys(object(from[key], key)).map((entry) => string(entry, `a key of ${key}`))
}

function labels(config: Json): Readonly<Record<string, string>> {
  if (config['Labels'] == null) return {}
  const entries = Object.entries(object(config['Labels'], 'Labels'))
  return Object.fromEntries(entries.map(([key, value]) => [string(key, 'a label'), string(value, `label ${key}`)]))
}

function invalid(why: string): StatusError {
  return new StatusError('invalid_argument', `Invalid image config: ${why}`)
}
