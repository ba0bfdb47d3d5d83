import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import type { Bottle, BottleDependency } from '../model/bottle.ts'
import { type Container, containerState } from '../model/container.ts'
import type { Store } from '../store/index.ts'
import { membersOf, replicasOf } from './members.ts'
import type { Member } from './types.ts'

/** The containers that are waited for. */
export interface AwaitedService {
  readonly bottle: Bottle
  readonly service: string
  /** Without those whose place others have taken. */
  readonly isRetired: (id: string) => boolean
}

/**
 * Resolves when all containers of a service are as somebody who depends on it wants them.
 * @throws {StatusError} `failed_precondition` when that cannot be any more
 */
export async function untilCondition(
  ctx: Ctx,
  store: Store,
  { bottle, service, isRetired }: AwaitedService,
  condition: BottleDependency['condition'],
): Promise<void> {
  await untilMet(ctx, store, () =>
    store
      .read((tx) => replicasOf(membersOf(tx, bottle), service))
      .filter(({ container }) => !isRetired(container.metadata.uid))
      .every(({ container }) => HOLDS[condition](container, service)),
  )
}

/** Resolves when one container is well; at once if it has nothing that tells. @throws {StatusError} when it has ended, or is unhealthy */
export async function untilHealthy(ctx: Ctx, store: Store, { service, container }: Member): Promise<void> {
  if (container.spec.healthcheck === undefined) return
  await untilMet(ctx, store, () => {
    const current = store.read((tx) => tx.getByUid('Container', container.metadata.uid))
    return current !== undefined && HOLDS.healthy(current, service)
  })
}

/** Looks again when a container has changed. */
async function untilMet(ctx: Ctx, store: Store, isMet: () => boolean): Promise<void> {
  const after = store.read((tx) => tx.revision())
  if (isMet()) return
  for await (const _change of store.watch(ctx, { kinds: ['Container'], after })) if (isMet()) return
  throwIfEnded(ctx)
}

/** Each throws a StatusError when it will not hold any more by itself. */
const HOLDS: Readonly<Record<BottleDependency['condition'], (container: Container, service: string) => boolean>> = {
  started: ({ status }) => status.startedAt !== undefined || status.finishedAt !== undefined,

  completed({ status }, service) {
    if (containerState(status) !== 'stopped') return false
    if (status.exitCode === 0) return true
    throw failed(service, `it was to complete, and has ended with exit code ${status.exitCode}`)
  },

  healthy({ spec, status }, service) {
    if (spec.healthcheck === undefined) throw failed(service, 'it has no health check that could tell that it is well')
    if (containerState(status) === 'stopped') throw failed(service, `it has ended with exit code ${status.exitCode}`)
    if (status.health?.status === 'unhealthy') throw failed(service, 'it is unhealthy')
    return status.health?.status === 'healthy'
  },
}

function failed(service: string, why: string): StatusError {
  return new StatusError('failed_precondition', `Service "${service}": ${why}`, { details: { service } })
}
