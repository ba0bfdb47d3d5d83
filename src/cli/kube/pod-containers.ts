import type { WirePodContainerStatus, WirePodObject } from '../../api/raind/index.ts'
import type { Client } from '../client.ts'
import { CliError } from '../errors.ts'
import { objectPath } from './fetch-objects.ts'

/** What is to be looked for, and where. */
export interface PodRef {
  readonly name: string
  readonly namespace: string
}

export async function fetchPod(client: Client, { name, namespace }: PodRef): Promise<WirePodObject> {
  return await client.call<WirePodObject>('GET', objectPath('Pod', name, namespace))
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

export interface Choice {
  readonly container: string
  /** What the user should know of it. */
  readonly note?: string
}

/** The container that is asked for, or the one that kubectl takes. @throws {CliError} if the pod has none of that name */
export function chooseContainer({ metadata, spec }: WirePodObject, wanted: string | undefined): Choice {
  const [mains, inits] = [spec.containers, spec.initContainers ?? []].map((list) => list.map(({ name }) => name)) as [
    string[],
    string[],
  ]
  const all = [...mains, ...inits.map((name) => `${name} (init)`)].join(', ')
  if (wanted !== undefined) {
    if ([...mains, ...inits].includes(wanted)) return { container: wanted }
    throw new CliError(`Pod "${metadata.name}" has no container "${wanted}"`, `It has: ${all}`)
  }
  const annotated = metadata.annotations?.[DEFAULT_CONTAINER]
  if (annotated !== undefined && mains.includes(annotated)) return { container: annotated }
  const container = mains[0]!
  const isOnly = mains.length + inits.length === 1
  return { container, ...(!isOnly && { note: `Defaulted container "${container}" out of: ${all}` }) }
}

/** In the order in which they begin. */
export function containersOf({ spec }: WirePodObject): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name)
}

/**
 * The id of what runs as that container of the pod, or ran last; `previous`: of what ran before.
 * @throws {CliError} if nothing did
 */
export function containerIdOf(pod: WirePodObject, container: string, { previous = false } = {}): string {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status
  const status = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container)
  const last = status?.lastState?.terminated?.containerID
  const id = previous ? last : (status?.containerID ?? last)
  if (id !== undefined) return id.replace(/^[a-z]+:\/\//, '')
  const which = `container "${container}" of pod "${pod.metadata.name}"`
  if (previous && status !== undefined) throw new CliError(`There is no previous ${which}: it has not been restarted`)
  throw new CliError(`There is no ${which} yet: ${whyNot(pod, status)}`)
}

function whyNot({ status }: WirePodObject, container: WirePodContainerStatus | undefined): string {
  const { reason, message } = container?.state?.waiting ?? status
  return `${reason ?? status.phase}${message === undefined ? '' : ` (${message})`}`
}
