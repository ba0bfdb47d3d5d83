import type { NodeFacts } from '../../containers/index.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { EnvFromSource, EnvVarSource, KeySelector } from '../../model/kube/env.ts'
import { envNameProblem } from '../../model/kube/names.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { expandVariables } from './expand.ts'
import { configFault } from './fault.ts'
import { fieldValue } from './field-value.ts'
import { findConfigMap, findSecret, type PodLookup } from './lookup.ts'
import { resourceValue } from './resource-value.ts'

/** Where a container's variables take their values from. */
export interface EnvInput {
  readonly pod: Pod
  readonly container: PodContainer
  /** Of the pod's sandbox, the host's for a pod in its network; IPv4 first. */
  readonly podIps: readonly string[]
  readonly hostIps: readonly string[]
  readonly node: NodeFacts
  readonly lookup: PodLookup
}

/**
 * The variables that a container's spec gives it, as kubelet makes them: those of `envFrom`, then those of `env`; later ones
 * win, and may name earlier ones.
 * @throws {StatusError} with `details.reason` CreateContainerConfigError
 */
export function containerEnv(input: EnvInput): Map<string, string> {
  const { envFrom = [], env = [] } = input.container
  const variables = new Map(envFrom.flatMap((source) => valuesOf(source, input.lookup)))
  for (const { name, value = '', valueFrom } of env) {
    const given =
      value === '' && valueFrom !== undefined ? resolve(valueFrom, input) : expandVariables(value, variables)
    if (given !== undefined) variables.set(name, given)
  }
  return variables
}

/** What cannot be the name of a variable is left out. */
function valuesOf({ prefix = '', configMapRef, secretRef }: EnvFromSource, lookup: PodLookup): [string, string][] {
  const values = configMapRef
    ? (findConfigMap(lookup, configMapRef, configFault)?.spec.data ?? {})
    : decoded((secretRef && findSecret(lookup, secretRef, configFault)?.spec.data) ?? {})
  return Object.entries(values)
    .map(([key, value]): [string, string] => [`${prefix}${key}`, value])
    .filter(([name]) => envNameProblem(name) === undefined)
}

/** Undefined for an optional key that is not there. */
function resolve(source: EnvVarSource, input: EnvInput): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source
  const { lookup, pod } = input
  if (fieldRef !== undefined) return fieldValue(fieldRef.fieldPath, input)
  if (resourceFieldRef !== undefined) return resourceValue(resourceFieldRef, input)
  if (configMapKeyRef !== undefined) {
    const configMap = findConfigMap(lookup, configMapKeyRef, configFault)
    return configMap && valueAt(configMap.spec.data ?? {}, configMapKeyRef, { what: 'ConfigMap', pod })
  }
  if (secretKeyRef === undefined) return ''
  const secret = findSecret(lookup, secretKeyRef, configFault)
  return secret && valueAt(decoded(secret.spec.data ?? {}), secretKeyRef, { what: 'Secret', pod })
}

function valueAt(
  values: Readonly<Record<string, string>>,
  { name = '', key, optional }: KeySelector,
  { what, pod }: { readonly what: string; readonly pod: Pod },
): string | undefined {
  if (Object.hasOwn(values, key)) return values[key]
  if (optional) return undefined
  throw configFault(`couldn't find key ${key} in ${what} ${pod.metadata.namespace}/${name}`)
}

function decoded(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString('utf8')]),
  )
}
