import type { Containers } from '../containers/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import { isAlive } from '../model/container.ts'
import { isEndedUnhealthy, restartDueInMs } from '../model/restart-policy.ts'
import type { Store } from '../store/index.ts'
import type { Controller } from './types.ts'

/** How many are started at once, as after a reboot of the host. */
const PARALLEL = 8

/**
 * Starts containers again when their restart is due, and ends the unhealthy that are to be restarted. What is due, and
 * when, is decided where an end is recorded, in the same transaction.
 * @param daemon the context that starts run in: one that has begun is finished
 */
export function restartController(store: Store, containers: Containers, daemon: Ctx): Controller {
  return {
    name: 'restart',
    concurrency: PARALLEL,
    triggers: {
      Container: (container) => {
        const isConcerned = container.status.nextRestartAt !== undefined || isEndedUnhealthy(container)
        return isConcerned ? container.metadata.uid : undefined
      },
    },
    async reconcile(_ctx, uid) {
      const container = store.read((tx) => tx.getByUid('Container', uid))
      if (container === undefined || container.status.removingAt !== undefined) return undefined
      if (isAlive(container.status) && isEndedUnhealthy(container)) await containers.endUnhealthy(daemon, uid)
      const dueInMs = restartDueInMs(container.status, Date.now())
      if (dueInMs === 0) await containers.restartDue(daemon, uid)
      return dueInMs === undefined || dueInMs === 0 ? undefined : { requeueAfterMs: Math.ceil(dueInMs) }
    },
  }
}
