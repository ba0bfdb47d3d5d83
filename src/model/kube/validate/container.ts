import { addressFamily } from '../../../lib/ip-address.ts'
import type { PodContainer } from '../container.ts'
import { dnsLabelProblem, portNameProblem } from '../names.ts'
import type { PodSpec } from '../pod.ts'
import { envFaults } from './env.ts'
import { type Faults, faultIf, repeatFaults } from './fault-if.ts'
import { lifecycleFaults, probeFaults } from './probe.ts'
import { resourceFaults } from './resources.ts'
import { securityContextFaults } from './security.ts'
import { mountFaults } from './volumes.ts'

const ONLY_LASTING = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

/** Of all containers of a pod. */
export function* containerFaults(path: string, spec: PodSpec): Faults {
  const { containers, initContainers = [] } = spec
  const main = containers.map((container, index) => [`${path}.containers[${index}]`, container] as const)
  const init = initContainers.map((container, index) => [`${path}.initContainers[${index}]`, container] as const)
  const all = [...init, ...main]
  yield* faultIf(`${path}.containers`, containers.length === 0 && 'must have at least one container')
  yield* repeatFaults(all.map(([at, { name }]) => [`${at}.name`, name]))
  yield* repeatFaults(main.flatMap(([at, container]) => hostPortsOf(at, container)))
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name))
  const graceSeconds = spec.terminationGracePeriodSeconds ?? 30
  for (const [at, container] of all) {
    yield* ownFaults(at, container)
    yield* mountFaults(`${at}.volumeMounts`, container, volumes)
    if (container.lifecycle !== undefined) {
      yield* lifecycleFaults(`${at}.lifecycle`, container.lifecycle, graceSeconds)
    }
    if (spec.hostNetwork) yield* hostNetworkFaults(at, container)
  }
  for (const [at, container] of init) yield* initFaults(at, container)
  for (const [at, { restartPolicy }] of main) {
    yield* faultIf(`${at}.restartPolicy`, restartPolicy !== undefined && 'is for init containers only')
  }
}

function* ownFaults(path: string, container: PodContainer): Faults {
  const { name, image, ports = [], resources, securityContext } = container
  yield* faultIf(`${path}.name`, dnsLabelProblem(name))
  yield* faultIf(`${path}.image`, image === undefined && 'is missing')
  yield* faultIf(`${path}.image`, image !== image?.trim() && 'must not begin or end with a space')
  yield* repeatFaults(
    ports.flatMap(({ name }, index) => (name ? [[`${path}.ports[${index}].name`, name] as const] : [])),
  )
  for (const [index, { name, hostIP }] of ports.entries()) {
    const at = `${path}.ports[${index}]`
    if (name !== undefined) yield* faultIf(`${at}.name`, portNameProblem(name))
    yield* faultIf(
      `${at}.hostIP`,
      hostIP !== undefined && addressFamily(hostIP) === undefined && 'must be an IP address',
    )
  }
  yield* envFaults(path, container)
  yield* probeFaults(path, container)
  if (resources !== undefined) yield* resourceFaults(`${path}.resources`, resources)
  if (securityContext !== undefined) yield* securityContextFaults(`${path}.securityContext`, securityContext)
}

function* initFaults(path: string, container: PodContainer): Faults {
  const { restartPolicy } = container
  if (restartPolicy === 'Always') return
  yield* faultIf(`${path}.restartPolicy`, restartPolicy !== undefined && 'may only be Always: a sidecar')
  for (const field of ONLY_LASTING) {
    const isThere = container[field] !== undefined
    yield* faultIf(`${path}.${field}`, isThere && 'is only for init containers with "restartPolicy": "Always"')
  }
}

function* hostNetworkFaults(path: string, { ports = [] }: PodContainer): Faults {
  for (const [index, { hostPort, containerPort }] of ports.entries()) {
    const differs = hostPort !== undefined && hostPort !== 0 && hostPort !== containerPort
    yield* faultIf(
      `${path}.ports[${index}].hostPort`,
      differs && `must be ${containerPort}, as containerPort, with hostNetwork`,
    )
  }
}

function hostPortsOf(path: string, { ports = [] }: PodContainer): (readonly [string, string])[] {
  return ports.flatMap(({ hostPort, hostIP = '', protocol = 'TCP' }, index) =>
    hostPort ? [[`${path}.ports[${index}].hostPort`, `${protocol} ${hostIP} ${hostPort}`] as const] : [],
  )
}
