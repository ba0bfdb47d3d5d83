import type { Ctx } from '../lib/ctx.ts'
import type { Container } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import type { Deps } from './deps.ts'
import { findOwn } from './find.ts'
import { startHeld } from './start.ts'
import { type StopOptions, stopHeld } from './stop.ts'

/** Stops the container if it runs, and starts it; nothing else can act on it in between. */
export async function restartContainer(ctx: Ctx, deps: Deps, ref: string, options: StopOptions): Promise<Container> {
  const id = deps.store.read((tx) => findOwn(tx, ref, 'restart')).metadata.uid
  using _lock = await deps.locks.hold(ctx, id)
  await stopHeld(ctx, deps, id, options)
  const container = await startHeld(ctx, deps, id)
  deps.store.write((tx) => tx.event(containerEvent(container, 'restart')))
  return container
}
