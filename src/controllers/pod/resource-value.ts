import type { EnvVarSource } from '../../model/kube/env.ts'
import type { EnvInput } from './env.ts'
import { configFault } from './fault.ts'
import { amountOf } from './resources.ts'

type ResourceField = NonNullable<EnvVarSource['resourceFieldRef']>

/**
 * What a container of the pod may use or asks for, in units of the divisor, rounded up. A limit that is not set is what the
 * node has. @throws {StatusError} for a container or a resource that is not known
 */
export function resourceValue(
  { containerName, resource, divisor = '1' }: ResourceField,
  { pod, container, node }: Pick<EnvInput, 'pod' | 'container' | 'node'>,
): string {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const asking = containerName ? all.find(({ name }) => name === containerName) : container
  if (asking === undefined) throw configFault(`container ${containerName} not found`)
  const [, list, name = ''] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(resource) ?? []
  if (list === undefined) throw configFault(`unsupported container resource: ${resource.slice(0, 200)}`)
  const asked = amountOf(asking.resources?.[list as 'limits' | 'requests'], name)
  const ofNode = { cpu: node.milliCpus, memory: node.memoryBytes, 'ephemeral-storage': node.storageBytes }[name]
  const amount = list === 'limits' && asked === 0 ? (ofNode ?? 0) : asked
  return String(Math.ceil(amount / (amountOf({ [name]: divisor }, name) || amountOf({ [name]: 1 }, name))))
}
