import type { Flags, Invocation } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { DEFAULT_NAMESPACE } from '../kube/flags.ts'
import type { PodRef } from '../kube/pod-containers.ts'

/** What a command on a container names: `web`, or `pod/web`. */
export const CONTAINER_OR_POD = 'CONTAINER|pod/POD'

/**
 * Makes the first call about the container that is named. `pod/web` is a container of that pod, as is `web` if
 * flags are given that only a pod makes sense of, or if there is no container but a pod of that name.
 */
export async function askContainer<T>(
  invocation: Invocation,
  ref: string,
  ask: (path: string) => Promise<T>,
): Promise<{ readonly path: string; readonly answer: T }> {
  const { flags } = invocation
  const pod = podNamed(ref, flags)
  if (pod !== undefined) return await askPod(invocation, pod, ask)
  const path = pathOf(ref)
  try {
    return { path, answer: await ask(path) }
  } catch (error) {
    if (!isNotFound(error)) throw error
    try {
      return await askPod(invocation, { name: ref, namespace: DEFAULT_NAMESPACE }, ask)
    } catch (of) {
      throw isNotFound(of) ? error : of
    }
  }
}

/** The pod that is meant, if it is plain that it is one. @throws {CliError} for an object of another kind */
export function podNamed(ref: string, flags: Flags): PodRef | undefined {
  const namespace = flags.text('namespace') ?? DEFAULT_NAMESPACE
  const [kind = '', name = '', ...more] = ref.split('/')
  if (name === '') {
    const isPod = flags.is('previous') || ['container', 'namespace'].some((flag) => flags.text(flag) !== undefined)
    return isPod ? { name: ref, namespace } : undefined
  }
  if (['pod', 'pods', 'po'].includes(kind.toLowerCase()) && more.length === 0) return { name, namespace }
  throw usageError(`"${ref}" is neither a container nor a pod: want CONTAINER or pod/POD`)
}

async function askPod<T>({ client, terminal, flags }: Invocation, ref: PodRef, ask: (path: string) => Promise<T>) {
  const { fetchPod, chooseContainer, containerIdOf } = await import('../kube/pod-containers.ts')
  const pod = await fetchPod(client, ref)
  const { container, note } = chooseContainer(pod, flags.text('container'))
  if (note !== undefined) terminal.stderr.write(`${note}\n`)
  const path = pathOf(containerIdOf(pod, container, { previous: flags.is('previous') }))
  return { path, answer: await ask(path) }
}

function isNotFound(error: unknown): boolean {
  return error instanceof CliError && error.status === 404
}

export function pathOf(container: string): string {
  return `/v1/containers/${encodeURIComponent(container)}`
}
