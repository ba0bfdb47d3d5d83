import { posix } from 'node:path'
import type { PodVolume } from '../../containers/index.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import type { Pod } from '../../model/kube/stored.ts'
import type { EmptyDirVolume, KeyToPath, Volume } from '../../model/kube/volume.ts'
import { mountFault } from './fault.ts'
import { findConfigMap, findSecret, type PodLookup } from './lookup.ts'
import { amountOf, podMemoryLimit } from './resources.ts'

const DEFAULT_MODE = 0o644

/**
 * A pod's volumes as the engine makes them, with what its ConfigMaps and Secrets say now.
 * @throws {StatusError} with `details.reason` FailedMount
 */
export function resolveVolumes({ spec }: Pod, lookup: PodLookup): PodVolume[] {
  const gid = spec.securityContext?.fsGroup
  return (spec.volumes ?? []).map((volume): PodVolume => {
    const { name, hostPath } = volume
    if (hostPath !== undefined) return { name, kind: 'host', path: hostPath.path, type: hostPath.type ?? '' }
    const group = gid === undefined ? {} : { gid }
    return volume.configMap !== undefined || volume.secret !== undefined
      ? { name, kind: 'files', ...group, ...filesOf(volume, lookup) }
      : { name, kind: 'empty', ...group, ...memoryOf(spec, volume.emptyDir ?? {}) }
  })
}

/** What it may take is what the pod may use, or less if it says so. */
function memoryOf(spec: PodSpec, { medium, sizeLimit }: EmptyDirVolume) {
  const inMemory = medium === 'Memory'
  const limits = [sizeLimit === undefined ? 0 : amountOf({ size: sizeLimit }, 'size'), podMemoryLimit(spec) ?? 0]
  const sizeBytes = Math.min(...limits.filter((limit) => limit > 0))
  return { inMemory, ...(inMemory && Number.isFinite(sizeBytes) && { sizeBytes }) }
}

function filesOf({ name, configMap, secret }: Volume, lookup: PodLookup) {
  const fault = (message: string) => mountFault(name, message)
  if (configMap !== undefined) {
    const { data = {}, binaryData = {} } = findConfigMap(lookup, configMap, fault)?.spec ?? {}
    const contents = [...texts(data, 'utf8'), ...texts(binaryData, 'base64')]
    const unknown = (key: string) => fault(`configmap references non-existent config key: ${key}`)
    return { inMemory: false, files: choose(new Map(contents), { ...configMap, unknown }) }
  }
  const { secretName = '', optional } = secret ?? {}
  const reference = { name: secretName, ...(optional !== undefined && { optional }) }
  const { data = {} } = findSecret(lookup, reference, fault)?.spec ?? {}
  const unknown = (key: string) => fault(`references non-existent secret key: ${key}`)
  return { inMemory: true, files: choose(new Map(texts(data, 'base64')), { ...secret, unknown }) }
}

function texts(data: Readonly<Record<string, string>>, encoding: 'utf8' | 'base64'): [string, Buffer][] {
  return Object.entries(data).map(([key, text]) => [key, Buffer.from(text, encoding)])
}

interface Choice {
  readonly items?: readonly KeyToPath[]
  readonly defaultMode?: number
  readonly optional?: boolean
  readonly unknown: (key: string) => Error
}

/** Without items all keys are files of their own names. Of two items with one path the later wins. */
function choose(contents: ReadonlyMap<string, Buffer>, { items, defaultMode, optional, unknown }: Choice) {
  const chosen = items && items.length > 0 ? items : [...contents.keys()].map((key): KeyToPath => ({ key, path: key }))
  const files = chosen.flatMap(({ key, path, mode = defaultMode ?? DEFAULT_MODE }) => {
    const data = contents.get(key)
    if (data === undefined && !optional) throw unknown(key)
    return data === undefined ? [] : [{ path: posix.normalize(path), data, mode }]
  })
  return [...new Map(files.map((file) => [file.path, file])).values()]
}
