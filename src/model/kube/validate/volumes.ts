import type { PodContainer } from '../container.ts'
import { dataKeyProblem, descendingPathProblem, dnsLabelProblem } from '../names.ts'
import type { KeyToPath, Volume } from '../volume.ts'
import { choiceFaults, type Faults, faultIf, repeatFaults } from './fault-if.ts'
import { quantityProblem } from './resources.ts'

const SOURCES = ['emptyDir', 'hostPath', 'configMap', 'secret']

export function* volumeFaults(path: string, volumes: readonly Volume[]): Faults {
  yield* repeatFaults(volumes.map(({ name }, index) => [`${path}[${index}].name`, name]))
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`
    yield* faultIf(`${at}.name`, dnsLabelProblem(volume.name))
    yield* choiceFaults(at, volume, SOURCES)
    yield* sourceFaults(at, volume)
  }
}

function* sourceFaults(path: string, { emptyDir, hostPath, configMap, secret }: Volume): Faults {
  if (emptyDir?.sizeLimit !== undefined) {
    yield* faultIf(`${path}.emptyDir.sizeLimit`, quantityProblem(emptyDir.sizeLimit))
  }
  if (hostPath !== undefined) yield* faultIf(`${path}.hostPath.path`, absolutePathProblem(hostPath.path))
  if (configMap !== undefined) {
    yield* faultIf(`${path}.configMap.name`, configMap.name === undefined && 'is missing')
    yield* itemFaults(`${path}.configMap.items`, configMap.items)
  }
  if (secret !== undefined) {
    yield* faultIf(`${path}.secret.secretName`, secret.secretName === undefined && 'is missing')
    yield* itemFaults(`${path}.secret.items`, secret.items)
  }
}

function* itemFaults(path: string, items: readonly KeyToPath[] = []): Faults {
  for (const [index, { key, path: file }] of items.entries()) {
    yield* faultIf(`${path}[${index}].key`, dataKeyProblem(key))
    const problem = file === '' ? 'must not be empty' : (descendingPathProblem(file) ?? dotsProblem(file))
    yield* faultIf(`${path}[${index}].path`, problem)
  }
}

/** Names with two dots in front are those of the versions that a volume has had. */
function dotsProblem(file: string): string | undefined {
  return file.startsWith('..') ? 'must not begin with ".."' : undefined
}

export function* mountFaults(path: string, container: PodContainer, volumes: ReadonlySet<string>): Faults {
  const { volumeMounts = [], securityContext } = container
  yield* repeatFaults(volumeMounts.map(({ mountPath }, index) => [`${path}[${index}].mountPath`, mountPath]))
  for (const [index, { name, mountPath, subPath, mountPropagation }] of volumeMounts.entries()) {
    const at = `${path}[${index}]`
    yield* faultIf(`${at}.name`, !volumes.has(name) && `names a volume that the pod does not have: "${name}"`)
    yield* faultIf(`${at}.mountPath`, absolutePathProblem(mountPath))
    if (subPath !== undefined) yield* faultIf(`${at}.subPath`, descendingPathProblem(subPath))
    const escapes = mountPropagation === 'Bidirectional' && securityContext?.privileged !== true
    yield* faultIf(`${at}.mountPropagation`, escapes && 'may be Bidirectional in a privileged container only')
  }
}

function absolutePathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must be an absolute path'
  return path.split('/').includes('..') ? 'must not contain ".."' : undefined
}
