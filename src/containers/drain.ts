import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../lib/ctx.ts'
import { hasIncomingConnections } from '../runtime/index.ts'
import type { Store } from '../store/index.ts'

/** Nothing tells of the end of another's connections. */
const LOOK_EVERY_MS = 50

/**
 * Resolves when nobody from outside is connected to what a container listens on any more, or its time to end is up: what
 * it has accepted is answered before its program is asked to end.
 */
export async function drainContainer(ctx: Ctx, store: Store, id: string): Promise<void> {
  const { spec } = store.read((tx) => tx.getByUid('Container', id)) ?? {}
  const until = performance.now() + (spec?.stopTimeoutMs ?? 0)
  while (performance.now() < until && !ctx.signal.aborted) {
    const pid = store.read((tx) => tx.getByUid('Container', id))?.status.pid
    if (pid === undefined || !(await hasIncomingConnections(pid))) return
    await sleep(LOOK_EVERY_MS)
  }
}
