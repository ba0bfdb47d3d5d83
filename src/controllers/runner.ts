import type { Backoff } from '../lib/backoff.ts'
import type { Ctx } from '../lib/ctx.ts'
import { hasCode } from '../lib/errors.ts'
import { Turn } from '../lib/turn.ts'
import { Workqueue } from '../lib/workqueue.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import type { Store } from '../store/index.ts'
import type { Controller } from './types.ts'

export interface RunnerOptions {
  readonly backoff?: Backoff
}

/**
 * Runs controllers until the context ends; resolves when the last reconcile under way has returned. Each looks at
 * every object once at its start, then at what changes.
 */
export async function runControllers(
  ctx: Ctx,
  store: Store,
  controllers: readonly Controller[],
  options: RunnerOptions = {},
): Promise<void> {
  const turn = new Turn()
  await Promise.all(controllers.map((controller) => runController(ctx, store, controller, turn, options)))
}

async function runController(
  ctx: Ctx,
  store: Store,
  controller: Controller,
  turn: Turn,
  options: RunnerOptions,
): Promise<void> {
  if (ctx.signal.aborted) return
  const controllerCtx = { ...ctx, log: ctx.log.with({ controller: controller.name }) }
  const queue = new Workqueue(options.backoff)
  const close = () => queue.close()
  ctx.signal.addEventListener('abort', close, { once: true })
  const resync = everyMs(controller.resyncMs, () => addAll(controllerCtx, store, controller, queue))
  const workers = Array.from({ length: controller.concurrency ?? 1 }, () =>
    work(controllerCtx, controller, queue, turn),
  )
  try {
    await feed(controllerCtx, store, controller, queue)
  } finally {
    clearInterval(resync)
    ctx.signal.removeEventListener('abort', close)
    queue.close()
    await Promise.all(workers)
  }
}

/** Adds the keys of all there is, then of all that changes; ends with the context or the store. */
async function feed(ctx: Ctx, store: Store, controller: Controller, queue: Workqueue): Promise<void> {
  const kinds = kindsOf(controller)
  for (;;) {
    const after = addAll(ctx, store, controller, queue)
    try {
      for await (const { kind, object } of store.watch(ctx, { kinds, after })) {
        addKeys(ctx, controller, queue, kind, object)
      }
      return
    } catch (error) {
      if (!hasCode(error, 'expired')) throw error
    }
  }
}

/** Returns the revision at which everything was looked at. */
function addAll(ctx: Ctx, store: Store, controller: Controller, queue: Workqueue): number {
  return store.read((tx) => {
    for (const kind of kindsOf(controller)) {
      for (const object of tx.list(kind)) addKeys(ctx, controller, queue, kind, object)
    }
    return tx.revision()
  })
}

function addKeys(ctx: Ctx, controller: Controller, queue: Workqueue, kind: Kind, object: Kinds[Kind]): void {
  const keysOf = controller.triggers[kind] as
    | ((object: Kinds[Kind]) => string | readonly string[] | undefined)
    | undefined
  try {
    for (const key of [keysOf?.(object) ?? []].flat()) queue.add(key)
  } catch (error) {
    ctx.log.error('trigger failed', { kind, name: object.metadata.name, error })
  }
}

async function work(ctx: Ctx, controller: Controller, queue: Workqueue, turn: Turn): Promise<void> {
  for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
    await turn.take()
    const log = ctx.log.with({ key })
    try {
      const requeue = await controller.reconcile({ ...ctx, log }, key)
      queue.done(key, requeue?.requeueAfterMs)
    } catch (error) {
      const retryInMs = queue.failed(key)
      if (!ctx.signal.aborted) log.warn('reconcile failed', { error, retryInMs: Math.round(retryInMs) })
    }
  }
}

function kindsOf(controller: Controller): Kind[] {
  return Object.keys(controller.triggers) as Kind[]
}

function everyMs(ms: number | undefined, fn: () => void): NodeJS.Timeout | undefined {
  return ms === undefined ? undefined : setInterval(fn, ms)
}
