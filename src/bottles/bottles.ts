import type { Containers } from '../containers/index.ts'
import type { Images } from '../images/index.ts'
import { type Ctx, detached } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { KeyedLock } from '../lib/keyed-lock.ts'
import type { Logger } from '../lib/log.ts'
import type { Bottle, BottleManifest } from '../model/bottle.ts'
import { eventOf } from '../model/event.ts'
import { newId } from '../model/names.ts'
import type { Store } from '../store/index.ts'
import { BottleReader } from './bottle-reader.ts'
import { bring, type Goal } from './bring.ts'
import { checkBottles } from './check.ts'
import type { Deps } from './deps.ts'
import { findBottle } from './find.ts'
import { membersOf } from './members.ts'
import { endMembers, removeBottle } from './remove.ts'
import type { Bottles, UpBottle } from './types.ts'

export interface BottlesOptions {
  readonly store: Store
  readonly images: Images
  readonly containers: Containers
  /** Persistent: where the data of secrets and configs is put. */
  readonly directory: string
  /** The module of the Worker that reads large files. */
  readonly bottleWorker: URL
  readonly log: Logger
}

export function createBottles(options: BottlesOptions): Bottles {
  const { store, images, containers, directory, bottleWorker, log } = options
  const reader = new BottleReader(bottleWorker)
  const deps: Deps = {
    store,
    images,
    containers,
    locks: new KeyedLock(),
    directory,
    log,
  }

  /** Holds the lock of a bottle while it is worked on. */
  async function work(ctx: Ctx, ref: string, verb: (bottle: Bottle) => Promise<void>): Promise<Bottle> {
    const { name, uid } = store.read((tx) => findBottle(tx, ref)).metadata
    using _lock = await deps.locks.hold(ctx, name)
    await verb(store.read((tx) => findBottle(tx, uid)))
    return store.read((tx) => findBottle(tx, uid))
  }

  /** The caller holds the lock of its name. */
  async function make(ctx: Ctx, { name, spec }: BottleManifest, goal: Goal): Promise<Bottle> {
    failpoint('bottle.create.record')
    const uid = newId()
    const bottle = store.write((tx) => {
      const made = tx.create('Bottle', { name, uid, spec, status: {} })
      tx.event(eventOf('Bottle', made, 'create'))
      return made
    })
    try {
      await bring(ctx, deps, bottle, goal)
    } catch (error) {
      await removeBottle(detached(ctx), deps, uid).catch((undo) =>
        log.error('a bottle that could not be made is taken away at the next start', { bottle: name, error: undo }),
      )
      throw error
    }
    failpoint('bottle.create.done')
    const whole = store.write((tx) => tx.putStatus('Bottle', uid, { registeredAt: Date.now() }))
    await store.durable()
    return whole
  }

  /** What is stored is what the manifest says, from the beginning: who asks meanwhile, or after a failure, sees what was wanted. */
  async function change(ctx: Ctx, before: Bottle, spec: Bottle['spec'], goal: Goal): Promise<void> {
    failpoint('bottle.up.record')
    const wanted = store.write((tx) => tx.put('Bottle', { ...before, spec }))
    try {
      await bring(ctx, deps, wanted, goal)
    } catch (error) {
      store.write((tx) => {
        const current = tx.getByUid('Bottle', wanted.metadata.uid)
        if (current !== undefined) tx.put('Bottle', { ...current, spec: before.spec })
      })
      throw error
    }
  }

  const bottles: Bottles = {
    read: (text) => reader.read(text),

    async register(ctx, manifest, options = {}) {
      using _lock = await deps.locks.hold(ctx, manifest.name)
      const taken = store.read((tx) => tx.get('Bottle', manifest.name))
      if (taken !== undefined) {
        throw new StatusError(
          'already_exists',
          `The bottle name "${manifest.name}" is taken: remove that one, or bring it up to date with up`,
        )
      }
      return await make(ctx, manifest, { ...options, noStart: true })
    },

    async up(ctx, manifest, options: UpBottle = {}) {
      using _lock = await deps.locks.hold(ctx, manifest.name)
      const found = store.read((tx) => tx.get('Bottle', manifest.name))
      if (found === undefined) return await make(ctx, manifest, options)
      assertStays(found)
      await change(ctx, found, manifest.spec, options)
      return store.read((tx) => findBottle(tx, found.metadata.uid))
    },

    start: (ctx, ref, options = {}) =>
      work(ctx, ref, async (bottle) => {
        assertStays(bottle)
        assertServices(bottle, options.services)
        await bring(ctx, deps, bottle, { ...options, startOnly: true })
      }),

    stop: (ctx, ref, options = {}) =>
      work(ctx, ref, async (bottle) => {
        assertServices(bottle, options.services)
        await endMembers(ctx, deps, bottle, options)
      }),

    restart: (ctx, ref, options = {}) =>
      work(ctx, ref, async (bottle) => {
        assertStays(bottle)
        assertServices(bottle, options.services)
        await endMembers(ctx, deps, bottle, options)
        await bring(ctx, deps, bottle, { ...options, startOnly: true })
      }),

    scale: (ctx, ref, replicas, options = {}) =>
      work(ctx, ref, async (bottle) => {
        assertStays(bottle)
        assertServices(bottle, Object.keys(replicas))
        const services = Object.fromEntries(
          Object.entries(bottle.spec.services).map(([name, service]) => [
            name,
            { ...service, replicas: replicas[name] ?? service.replicas },
          ]),
        )
        await change(ctx, bottle, { ...bottle.spec, services }, { ...options, services: Object.keys(replicas) })
      }),

    async remove(ctx, ref, options = {}) {
      const { name, uid } = store.read((tx) => findBottle(tx, ref)).metadata
      using _lock = await deps.locks.hold(ctx, name)
      await removeBottle(ctx, deps, uid, options)
    },

    find: (ref) => store.read((tx) => findBottle(tx, ref)),
    list: () => store.read((tx) => tx.list('Bottle')),
    members: (bottle) => store.read((tx) => membersOf(tx, bottle)),

    check: (options = {}) => checkBottles(deps, options.repair ?? false),

    async recover(ctx) {
      for (const { metadata, status } of bottles.list()) {
        if (status.registeredAt !== undefined && status.removingAt === undefined) continue
        await removeBottle(ctx, deps, metadata.uid).catch((error) =>
          log.error(
            'a bottle that is half made or half removed cannot be removed; it is tried again at the next start',
            {
              bottle: metadata.name,
              error,
            },
          ),
        )
      }
    },

    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
  return bottles
}

function assertStays({ metadata, status }: Bottle): void {
  if (status.removingAt === undefined) return
  throw new StatusError('failed_precondition', `Bottle "${metadata.name}" is being removed`)
}

function assertServices({ metadata, spec }: Bottle, names: readonly string[] = []): void {
  const unknown = names.find((name) => !Object.hasOwn(spec.services, name))
  if (unknown === undefined) return
  const known = Object.keys(spec.services).join(', ')
  throw new StatusError(
    'not_found',
    `Bottle "${metadata.name}" has no service "${unknown.slice(0, 100)}": it has ${known}`,
  )
}
