import { isDeepStrictEqual } from 'node:util'
import type { Ctx } from '../../lib/ctx.ts'
import { messageOf, StatusError } from '../../lib/errors.ts'
import type { Limiter } from '../../lib/limiter.ts'
import { infraOf } from '../../model/kube/pod-run.ts'
import type { PodStatus } from '../../model/kube/pod-status.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { Deletion, tellOf } from '../../resources/index.ts'
import type { ReadTx } from '../../store/index.ts'
import type { Requeue } from '../types.ts'
import { tellOfPod } from './events.ts'
import { killMembers } from './kill.ts'
import { hasUnheard, hearLastWords } from './last-words.ts'
import type { PodMemory } from './memory.ts'
import { nextStep, type PodStep, type PodView } from './plan.ts'
import type { PodDeps } from './pod.ts'
import { qosClass } from './resources.ts'
import { fillVolumes, runSandbox, startMember } from './run.ts'
import { podStatus } from './status.ts'
import { statusEvents } from './status-events.ts'

export interface SyncDeps extends PodDeps {
  /** For what makes sandboxes and containers. */
  readonly place: Limiter
}

/** What a sync works with, for one pod. */
export interface Sync {
  readonly deps: SyncDeps
  readonly ctx: Ctx
  readonly memory: PodMemory
}

/** Takes one step after the other until the pod is as it should be; its status follows. `gone`: there is no such pod (any more). */
export async function syncPod(
  ctx: Ctx,
  deps: SyncDeps,
  uid: string,
  memory: PodMemory,
): Promise<Requeue | 'gone' | undefined> {
  const sync: Sync = { deps, ctx, memory }
  for (;;) {
    const view = look(sync, uid)
    if (view === undefined) {
      await removeAll(sync, uid)
      return 'gone'
    }
    // From here to the status nothing is waited for: it tells of these containers as they are.
    if (hasUnheard(sync, view)) {
      await hearLastWords(sync, view)
      continue
    }
    const step = nextStep(view)
    if (step.do === 'wait') memory.waiting = undefined
    writeStatus(sync, view.pod)
    if (step.do === 'wait') {
      await fillVolumes(sync, view)
      return step.untilMs === Number.POSITIVE_INFINITY
        ? undefined
        : { requeueAfterMs: Math.max(1, Math.ceil(step.untilMs - Date.now())) }
    }
    if (ctx.signal.aborted) return undefined
    if (step.do === 'forget' && !(await forget(sync, view.pod))) return undefined
    await take(sync, view, step)
  }
}

function look({ deps: { store }, memory }: Sync, uid: string): PodView | undefined {
  return store.read((tx) => {
    const pod = tx.getByUid('Pod', uid)
    const containers = tx.list('Container', { ownerUid: uid })
    if (pod !== undefined) memory.releaseChanged(pod.spec)
    return pod && { pod, containers, holds: memory.holds(), now: Date.now() }
  })
}

async function take(sync: Sync, { pod }: PodView, step: PodStep): Promise<void> {
  const { store, containers: engine, daemon } = sync.deps
  switch (step.do) {
    case 'kill':
      await killMembers(sync, pod, step.kills)
      return
    case 'remove':
      await Promise.all(step.containers.map(({ metadata }) => engine.pods.remove(daemon, metadata.uid)))
      return
    case 'run-sandbox':
      if (step.replaces.length > 0) {
        tellOfPod(store, pod, 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
      }
      for (const { metadata } of step.replaces) await engine.pods.remove(daemon, metadata.uid)
      await runSandbox(sync, pod, step.next)
      return
    case 'start': {
      // As on a cluster one waits for what the one before does after its start.
      const inTurn = step.starts.some(({ container }) => container.lifecycle?.postStart !== undefined)
      const start = (one: (typeof step.starts)[number]) => startMember(sync, pod, step.infra, one)
      if (!inTurn) await Promise.all(step.starts.map(start))
      else for (const one of step.starts) await start(one)
    }
  }
}

/** False if somebody holds it with a finalizer. */
async function forget({ deps }: Sync, pod: Pod): Promise<boolean> {
  const { store, containers, daemon } = deps
  if ((pod.metadata.finalizers ?? []).length > 0) return false
  await containers.pods.removeVolumes(daemon, pod.metadata.uid)
  store.write((tx) => new Deletion(tx).remove('Pod', pod.metadata))
  return true
}

/** What is left of a pod whose record is gone. */
async function removeAll({ deps: { containers, daemon } }: Sync, uid: string): Promise<void> {
  for (const { metadata } of containers.pods.list(uid)) await containers.pods.remove(daemon, metadata.uid)
  await containers.pods.removeVolumes(daemon, uid)
}

function writeStatus(sync: Sync, { metadata }: Pod): void {
  const { store } = sync.deps
  const next = (tx: ReadTx) => {
    const pod = tx.getByUid('Pod', metadata.uid)
    const status = pod && statusOf(sync, tx, pod)
    return status === undefined || isDeepStrictEqual(status, pod!.status) ? undefined : { ...pod!, status }
  }
  // A look costs less than a transaction that changes nothing.
  if (store.read(next) === undefined) return
  store.write((tx) => {
    const pod = next(tx)
    if (pod === undefined) return
    const events = statusEvents(tx.getByUid('Pod', metadata.uid)!, pod.status)
    tx.put('Pod', pod)
    for (const { reason, message, ...rest } of events) tellOf(tx, 'Pod', pod, reason, message, rest)
  })
}

function statusOf({ deps, memory }: Sync, tx: ReadTx, pod: Pod): PodStatus {
  const containers = tx.list('Container', { ownerUid: pod.metadata.uid })
  const now = Date.now()
  const infra = infraOf(containers)
  const hostIp = deps.hostIp()
  return podStatus({
    pod,
    containers,
    waiting: memory.waitings(now),
    ...(memory.waiting !== undefined && { podWaiting: memory.waiting }),
    podIps: pod.spec.hostNetwork ? [hostIp ?? []].flat() : addressesOf(infra && deps.containers.sandboxOf(infra)),
    hostIp,
    qosClass: qosClass(pod.spec),
    now,
  })
}

function addressesOf(sandbox: { spec: { attachments: readonly { addresses: readonly string[] }[] } } | undefined) {
  return (sandbox?.spec.attachments[0]?.addresses ?? []).map((cidr) => cidr.split('/')[0]!)
}

/** The reason that an error names, or the one given. */
export function reasonOf(error: unknown, otherwise: string) {
  const reason = error instanceof StatusError ? error.details?.['reason'] : undefined
  return { reason: typeof reason === 'string' ? reason : otherwise, message: messageOf(error) }
}
