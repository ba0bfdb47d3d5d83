import { deadline } from '../../lib/deadline.ts'
import { sleep } from '../../lib/long-timer.ts'
import { containerInPod } from '../../model/kube/pod-run.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { tellOfPod } from './events.ts'
import { runHandler } from './handler.ts'
import { graceOf, type Kill } from './plan.ts'
import type { Sync } from './sync.ts'

/** What SIGTERM gets at least when the handler before it has used the time up (kubelet's minimumGracePeriodInSeconds). */
const LEAST_GRACE_MS = 2000

/** Ends a container in good order: preStop, its stop signal, and SIGKILL when the time is up. */
export async function killMember(sync: Sync, pod: Pod, { container, graceMs, reason }: Kill): Promise<void> {
  const { store, containers, daemon } = sync.deps
  const { name } = container.spec.pod!
  tellOfPod(store, pod, 'Killing', `Stopping container ${name}: ${reason}`, { container: name })
  const begun = performance.now()
  const preStop = containerInPod(pod, container)?.lifecycle?.preStop
  if (preStop !== undefined && graceMs > 0) {
    using within = deadline(AbortSignal.any([daemon.signal, sync.memory.interrupted]), graceMs)
    const { ok, message } = await runHandler({ ...daemon, signal: within.signal }, containers, {
      pod,
      container,
      handler: preStop,
    })
    if (!ok) tellOfPod(store, pod, 'FailedPreStopHook', message, { type: 'Warning', container: name })
  }
  const leftMs = Math.ceil(Math.max(Math.min(graceMs, LEAST_GRACE_MS), graceMs - (performance.now() - begun)))
  const { uid } = container.metadata
  const stopped = new AbortController()
  const stop = containers.pods.stop(daemon, uid, leftMs).finally(() => stopped.abort())
  void hurry(sync, pod, uid, begun, stopped.signal)
  await stop
}

/** While it is waited for: the pod may be given less time. */
async function hurry({ deps, memory }: Sync, pod: Pod, id: string, begun: number, stopped: AbortSignal): Promise<void> {
  const { store, containers, daemon } = deps
  while (!stopped.aborted) {
    await new Promise((resolve) =>
      AbortSignal.any([stopped, memory.interrupted]).addEventListener('abort', resolve, { once: true }),
    )
    const current = store.read((tx) => tx.getByUid('Pod', pod.metadata.uid))
    if (stopped.aborted || current === undefined) return
    const leftMs = graceOf(current) - (performance.now() - begun)
    if (leftMs >= graceOf(pod) - (performance.now() - begun)) continue
    await sleep(Math.max(0, leftMs), stopped)
    if (!stopped.aborted) await containers.kill(daemon, id, 'SIGKILL').catch(() => {})
  }
}
