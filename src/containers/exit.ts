import { type Ctx, detached } from '../lib/ctx.ts'
import type { Deps } from './deps.ts'
import { removeContainer } from './remove.ts'
import { tearDown } from './tear-down.ts'

/** After a container's process has ended by itself: takes down what it used, and removes it if it asked for that. */
export async function cleanUpAfterExit(ctx: Ctx, deps: Deps, id: string): Promise<void> {
  const within = detached(ctx, 60_000)
  using _lock = await deps.locks.hold(within, id)
  const container = deps.store.read((tx) => tx.getByUid('Container', id))
  if (container === undefined || container.status.pid !== undefined) return
  if (container.spec.autoRemove) await removeContainer(within, deps, id, { volumes: true })
  else await tearDown(within, deps, container)
}
