import type { PodContainer } from '../container.ts'
import type { EnvVarSource } from '../env.ts'
import { dataKeyProblem, envNameProblem, qualifiedNameProblem } from '../names.ts'
import { quantityOf } from '../quantity.ts'
import { choiceFaults, type Faults, faultIf } from './fault-if.ts'

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef']
const FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const MAP_ENTRY = /^metadata\.(?:labels|annotations)\['([^']+)'\]$/
const RESOURCES = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [`limits.${name}`, `requests.${name}`])

export function* envFaults(path: string, { env = [], envFrom = [] }: PodContainer): Faults {
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    const at = `${path}.env[${index}]`
    yield* faultIf(`${at}.name`, envNameProblem(name))
    if (valueFrom === undefined) continue
    yield* faultIf(`${at}.valueFrom`, value !== undefined && 'must be absent where there is a value')
    yield* choiceFaults(`${at}.valueFrom`, valueFrom, SOURCES)
    yield* sourceFaults(`${at}.valueFrom`, valueFrom)
  }
  for (const [index, source] of envFrom.entries()) {
    const at = `${path}.envFrom[${index}]`
    if (source.prefix !== undefined) yield* faultIf(`${at}.prefix`, envNameProblem(source.prefix))
    yield* choiceFaults(at, source, ['configMapRef', 'secretRef'])
    for (const kind of ['configMapRef', 'secretRef'] as const) {
      yield* faultIf(`${at}.${kind}.name`, source[kind] !== undefined && !source[kind].name && 'is missing')
    }
  }
}

function* sourceFaults(path: string, source: EnvVarSource): Faults {
  const { fieldRef, resourceFieldRef } = source
  if (fieldRef !== undefined) yield* fieldFaults(`${path}.fieldRef`, fieldRef)
  if (resourceFieldRef !== undefined) yield* resourceFieldFaults(`${path}.resourceFieldRef`, resourceFieldRef)
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[kind]
    if (reference === undefined) continue
    yield* faultIf(`${path}.${kind}.name`, reference.name === undefined && 'is missing')
    yield* faultIf(`${path}.${kind}.key`, dataKeyProblem(reference.key))
  }
}

function* fieldFaults(path: string, { apiVersion = 'v1', fieldPath }: NonNullable<EnvVarSource['fieldRef']>): Faults {
  yield* faultIf(`${path}.apiVersion`, apiVersion !== 'v1' && 'must be v1')
  if (FIELDS.includes(fieldPath)) return
  const [, key] = MAP_ENTRY.exec(fieldPath) ?? []
  if (key !== undefined) yield* faultIf(`${path}.fieldPath`, qualifiedNameProblem(key))
  else {
    const known = `${FIELDS.join(', ')}, metadata.labels['KEY'], metadata.annotations['KEY']`
    yield { path: `${path}.fieldPath`, problem: `must be one of ${known}` }
  }
}

function* resourceFieldFaults(
  path: string,
  { resource, divisor = '0' }: NonNullable<EnvVarSource['resourceFieldRef']>,
): Faults {
  yield* faultIf(`${path}.resource`, !RESOURCES.includes(resource) && `must be one of ${RESOURCES.join(', ')}`)
  // 0 stands for 1, and one of CPUs may be 1m.
  const value = quantityOf(divisor) ?? Number.NaN
  const isDivisor = value === 0 || (resource.endsWith('.cpu') ? [1, 0.001].includes(value) : value >= 1)
  yield* faultIf(`${path}.divisor`, !isDivisor && 'must be 1 (of CPUs also 1m), or for bytes a unit such as 1Mi or 1M')
}
