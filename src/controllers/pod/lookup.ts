import type { StatusError } from '../../lib/errors.ts'
import type { ConfigMap, Secret } from '../../model/kube/stored.ts'

/** The ConfigMaps and Secrets of a pod's namespace, by name. */
export interface PodLookup {
  readonly configMap: (name: string) => ConfigMap | undefined
  readonly secret: (name: string) => Secret | undefined
}

interface Reference {
  readonly name?: string
  /** Whether it may be absent. */
  readonly optional?: boolean
}

type Fault = (message: string) => StatusError

/** Undefined for an optional one that is not there. @throws what `fault` makes of kubelet's message */
export function findConfigMap(
  lookup: PodLookup,
  { name = '', optional }: Reference,
  fault: Fault,
): ConfigMap | undefined {
  return found(lookup.configMap(name), `configmap "${name}" not found`, optional, fault)
}

/** As `findConfigMap`. */
export function findSecret(lookup: PodLookup, { name = '', optional }: Reference, fault: Fault): Secret | undefined {
  return found(lookup.secret(name), `secret "${name}" not found`, optional, fault)
}

function found<T>(object: T | undefined, message: string, optional: boolean | undefined, fault: Fault): T | undefined {
  if (object === undefined && optional !== true) throw fault(message)
  return object
}
