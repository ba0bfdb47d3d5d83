import { type Container, isAlive } from '../../model/container.ts'
import { containerInPod, isSidecar } from '../../model/kube/pod-run.ts'
import type { Pod } from '../../model/kube/stored.ts'
import type { Store } from '../../store/index.ts'
import { tellOfPod } from './events.ts'
import { runHandler } from './handler.ts'
import type { Kill } from './plan.ts'
import type { Sync } from './sync.ts'

/** What a program gets at least, be it that its handler has used the time up (kubelet's minimumGracePeriodInSeconds). */
const LEAST_GRACE_MS = 2000

/**
 * Ends containers in good order, all at once; but sidecars after those that they serve, the last one first (kubelet's
 * terminationOrdering).
 */
export async function killMembers(sync: Sync, pod: Pod, kills: readonly Kill[]): Promise<void> {
  const { containers: mains = [], sidecars = [] } = Object.groupBy(kills, ({ container }) => {
    const ofSpec = containerInPod(pod, container)
    return ofSpec !== undefined && isSidecar(ofSpec) ? 'sidecars' : 'containers'
  })
  const place = ({ container }: Kill) =>
    (pod.spec.initContainers ?? []).findIndex(({ name }) => name === container.spec.pod!.name)
  const ends = mains.map((kill) => killMember(sync, pod, kill, Promise.resolve()))
  for (const kill of sidecars.toSorted((a, b) => place(b) - place(a))) {
    ends.push(killMember(sync, pod, kill, Promise.allSettled([...ends])))
  }
  await Promise.all(ends)
}

/** preStop, its stop signal in its turn, and SIGKILL when the time is up. */
async function killMember(
  { deps, memory }: Sync,
  pod: Pod,
  { container, graceMs, reason, isToRunAgain }: Kill,
  turn: Promise<unknown>,
): Promise<void> {
  const { store, containers, daemon } = deps
  const { name } = container.spec.pod!
  tellOfPod(store, pod, 'Killing', `Stopping container ${name}: ${reason}`, { container: name })
  if (isToRunAgain) markToRunAgain(store, container)
  using grace = memory.grace(graceMs)
  const preStop = containerInPod(pod, container)?.lifecycle?.preStop
  if (preStop !== undefined && !grace.isNone) {
    const signal = AbortSignal.any([daemon.signal, grace.signal])
    const { ok, message } = await runHandler({ ...daemon, signal }, containers, { pod, container, handler: preStop })
    if (daemon.signal.aborted) return
    if (!ok) tellOfPod(store, pod, 'FailedPreStopHook', message, { type: 'Warning', container: name })
  }
  await Promise.race([turn, grace.ended])
  using rest = memory.grace(grace.isNone ? 0 : Math.max(LEAST_GRACE_MS, grace.leftMs))
  await containers.pods.stop(daemon, container.metadata.uid, rest.signal)
}

/** Before anything is done to end it: its handler alone may do that. What has ended by itself stays as it is. */
function markToRunAgain(store: Store, { metadata }: Container): void {
  store.write((tx) => {
    const current = tx.getByUid('Container', metadata.uid)
    if (current !== undefined && isAlive(current.status)) {
      tx.putStatus('Container', metadata.uid, { isToRunAgain: true })
    }
  })
}
