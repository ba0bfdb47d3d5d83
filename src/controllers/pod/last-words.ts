import { messageOf } from '../../lib/errors.ts'
import type { Container } from '../../model/container.ts'
import { containerInPod, hasEnded, hasSucceeded } from '../../model/kube/pod-run.ts'
import type { PodView } from './plan.ts'
import type { Sync } from './sync.ts'

/** Whether there are containers that have ended and have not been heard. */
export function hasUnheard(sync: Sync, { containers }: PodView): boolean {
  return containers.some((container) => isUnheard(sync, container))
}

function isUnheard({ memory }: Sync, container: Container): boolean {
  return container.spec.pod!.role !== 'infra' && hasEnded(container) && !memory.heard.has(container.metadata.uid)
}

/** Puts on the records of containers that have ended what they said of it, once. */
export async function hearLastWords(sync: Sync, { pod, containers }: PodView): Promise<void> {
  const { deps, memory, ctx } = sync
  const { store, containers: engine } = deps
  for (const container of containers.filter((one) => isUnheard(sync, one))) {
    const { uid } = container.metadata
    memory.heard.add(uid)
    if (container.status.message !== undefined) continue
    const { terminationMessagePolicy } = containerInPod(pod, container) ?? {}
    const orLog = terminationMessagePolicy === 'FallbackToLogsOnError' && !hasSucceeded(container)
    const message = await engine.pods
      .terminationMessage(ctx, container, orLog)
      .catch((error) => `its last words cannot be read: ${messageOf(error)}`)
    if (message === '') continue
    store.write((tx) => {
      const current = tx.getByUid('Container', uid)
      if (current !== undefined && hasEnded(current)) tx.putStatus('Container', uid, { message })
    })
  }
}
