import type { NodeFacts } from '../../containers/index.ts'
import type { Resources } from '../../model/container.ts'
import type { PodContainer } from '../../model/kube/container.ts'
import type { PodSpec } from '../../model/kube/pod.ts'
import { isSidecar } from '../../model/kube/pod-run.ts'
import type { QosClass } from '../../model/kube/pod-status.ts'
import { parseQuantity, type Quantity } from '../../model/kube/quantity.ts'

type Amounts = Readonly<Record<string, Quantity>> | undefined
type Compute = 'cpu' | 'memory'

const COMPUTE: readonly Compute[] = ['cpu', 'memory']
/** Rounding up must not see what a multiplication leaves of 1.1: 1100.0000000000002. */
const NEARLY_ONE = 1 - 1e-12

/** kubelet's (pkg/kubelet/cm/helpers_linux.go): shares are weights, 1024 a core; less CPU than 10m cannot be had. */
const SHARES_PER_CORE = 1024
const MIN_SHARES = 2
const MAX_SHARES = 262_144
const MIN_MILLI_CPUS = 10

/** kubelet's (pkg/kubelet/qos/policy.go). */
const GUARANTEED_SCORE = -997
const BEST_EFFORT_SCORE = 1000

/** Of one resource in a list, thousandths of a core or bytes, rounded up; 0 if it is not there. */
export function amountOf(amounts: Amounts, name: string): number {
  const quantity = amounts?.[name]
  if (quantity === undefined) return 0
  return Math.ceil(parseQuantity(quantity) * (name === 'cpu' ? 1000 : 1) * NEARLY_ONE)
}

/** What the engine is to hold a container to, as kubelet has it: no swap beside a limit of memory. */
export function engineResources(
  { resources: { limits, requests } = {} }: PodContainer,
  { limitsSwap }: Pick<NodeFacts, 'limitsSwap'>,
): Resources {
  const milliCpus = amountOf(limits, 'cpu')
  const memoryBytes = amountOf(limits, 'memory')
  const asked = requests?.['cpu'] === undefined ? milliCpus : amountOf(requests, 'cpu')
  const shares = Math.floor((asked * SHARES_PER_CORE) / 1000)
  return {
    cpuShares: Math.min(MAX_SHARES, Math.max(MIN_SHARES, shares)),
    ...(milliCpus > 0 && { milliCpus: Math.max(MIN_MILLI_CPUS, milliCpus) }),
    ...(memoryBytes > 0 && { memoryBytes, ...(limitsSwap && { memorySwapBytes: memoryBytes }) }),
  }
}

/** Who gives way first when the node is short of memory (pkg/apis/core/v1/helper/qos). */
export function qosClass({ containers, initContainers = [] }: PodSpec): QosClass {
  const lists = [...containers, ...initContainers].map(({ resources = {} }) => resources)
  const sum = (list: 'limits' | 'requests', name: Compute) =>
    lists.reduce((total, resources) => total + amountOf(resources[list], name), 0)
  const sums = COMPUTE.map((name) => ({ limit: sum('limits', name), request: sum('requests', name) }))
  if (sums.every(({ limit, request }) => limit === 0 && request === 0)) return 'BestEffort'
  const isLimited = lists.every(({ limits }) => COMPUTE.every((name) => amountOf(limits, name) > 0))
  return isLimited && sums.every(({ limit, request }) => limit === request) ? 'Guaranteed' : 'Burstable'
}

/** Its score for the kernel's OOM killer, which takes the highest first; a sidecar goes after those that it serves. */
export function oomScoreAdj(spec: PodSpec, container: PodContainer, memoryOfNode: number): number {
  const qos = qosClass(spec)
  if (qos === 'Guaranteed') return GUARANTEED_SCORE
  if (qos === 'BestEffort') return BEST_EFFORT_SCORE
  const requestOf = ({ resources }: PodContainer) => amountOf(resources?.requests, 'memory')
  const served = isSidecar(container) ? Math.min(...spec.containers.map(requestOf)) : 0
  const request = Math.max(requestOf(container), served)
  const score = 1000 - Math.floor((1000 * request) / memoryOfNode)
  return Math.min(BEST_EFFORT_SCORE - 1, Math.max(1000 + GUARANTEED_SCORE, score))
}

/** What all its containers together may use at most, bytes; undefined unless each has a limit. */
export function podMemoryLimit({ containers, initContainers = [] }: PodSpec): number | undefined {
  const limitOf = ({ resources }: PodContainer) => amountOf(resources?.limits, 'memory')
  const all = [...containers, ...initContainers]
  if (all.some((container) => limitOf(container) === 0)) return undefined
  const sidecars = initContainers.filter(isSidecar)
  const together = [...containers, ...sidecars].reduce((total, container) => total + limitOf(container), 0)
  return Math.max(together, ...initContainers.map(limitOf))
}
