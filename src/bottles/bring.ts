import type { HeirOptions } from '../containers/index.ts'
import { type Ctx, detached } from '../lib/ctx.ts'
import { hasCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Bottle, BottleDependency } from '../model/bottle.ts'
import { type Container, isAlive } from '../model/container.ts'
import { shortId } from '../model/names.ts'
import { allOf, alongDependencies } from './along-dependencies.ts'
import { type AwaitedService, untilCondition, untilHealthy } from './condition.ts'
import type { Deps } from './deps.ts'
import { memberEnv } from './member-env.ts'
import { memberRequest } from './member-request.ts'
import { membersOf, replicasOf } from './members.ts'
import { containerName } from './names.ts'
import { ensureParts, writeFiles } from './parts.ts'
import { planService } from './plan-service.ts'
import { ofService, withLastLines } from './tell-why.ts'
import type { Member, UpBottle } from './types.ts'

/** What a bottle is brought to. */
export interface Goal extends UpBottle {
  /** These services, and what they depend on; all if absent. */
  readonly services?: readonly string[]
  /** What is there runs, as it is: nothing is made, changed or taken away. */
  readonly startOnly?: boolean
}

/**
 * Makes what is missing, makes anew what has changed and what depends on that, takes away what is too much, and has all
 * of it run, along the dependencies. A failure takes back what it has done. The caller holds the bottle's lock.
 */
export async function bring(ctx: Ctx, deps: Deps, bottle: Bottle, goal: Goal): Promise<void> {
  await using undo = new AsyncDisposableStack()
  try {
    const work = new Bringing(deps, bottle, goal, undo)
    if (!goal.startOnly) {
      await work.bringImages(ctx)
      await ensureParts(ctx, deps, bottle, undo, goal)
    }
    await alongDependencies(work.services, ctx.signal, (service, signal) =>
      ofService(service, () => work.bring({ ...ctx, signal }, service)),
    )
    if (!goal.startOnly) await work.removeOthers(ctx)
    await deps.store.durable()
    undo.move()
    await work.finish(ctx)
  } catch (error) {
    throw await withLastLines(ctx, deps, bottle, error)
  }
}

/** One bringing of a bottle to its goal. */
class Bringing {
  /** Those that are to be brought. */
  readonly services: Bottle['spec']['services']
  readonly #deps: Deps
  readonly #bottle: Bottle
  readonly #goal: Goal
  readonly #undo: AsyncDisposableStack
  readonly #remade = new Set<string>()
  /** What is taken away at the end, when nothing can fail any more. */
  readonly #retired: Member[] = []

  constructor(deps: Deps, bottle: Bottle, goal: Goal, undo: AsyncDisposableStack) {
    this.#deps = deps
    this.#bottle = bottle
    this.#goal = goal
    this.#undo = undo
    const { services } = bottle.spec
    const wanted = new Set<string>()
    const add = (name: string) => {
      if (wanted.has(name) || services[name] === undefined) return
      wanted.add(name)
      for (const dependency of Object.keys(services[name].dependsOn)) add(dependency)
    }
    for (const name of goal.services ?? Object.keys(services)) add(name)
    this.services = Object.fromEntries(Object.entries(services).filter(([name]) => wanted.has(name)))
  }

  /** All images are there before anything is changed. */
  async bringImages(ctx: Ctx): Promise<void> {
    const { images } = this.#deps
    await Promise.all(
      Object.entries(this.services).map(([service, { image, pull }]) =>
        ofService(service, async () => {
          if ((pull !== 'always' || this.#goal.pulled) && isThere(() => images.get(image))) return
          if (pull === 'never') return void images.get(image)
          for await (const _progress of images.pull(ctx, image)) {
            // Only its end matters here.
          }
        }),
      ),
    )
  }

  async bring(ctx: Ctx, service: string): Promise<void> {
    const { dependsOn, replicas } = this.services[service]!
    if (replicas > 0 && !this.#goal.noStart) await this.#untilDependencies(ctx, dependsOn)
    const members = replicasOf(this.#members(), service)
    if (this.#goal.startOnly) {
      await allOf(members, (member) => this.#start(ctx, member))
      return
    }
    const recreate = this.#goal.recreate === true || Object.keys(dependsOn).some((name) => this.#remade.has(name))
    const imageId = this.#deps.images.get(this.services[service]!.image).spec.config.digest
    const plan = planService(this.#bottle, service, members, { imageId, recreate })
    if (plan.replace.length > 0) this.#remade.add(service)
    // First of all: what an up that was cut off has left may have the name of what is made now.
    for (const member of plan.remove) {
      await this.#retire(ctx, member)
      await this.#setAside(ctx, member)
    }
    const missing = plan.create.map((number) => () => this.#create(ctx, service, number))
    const there = plan.keep.map((member) => () => this.#named(ctx, member))
    await allOf([...there, ...missing], async (member) => this.#start(ctx, await member()))
    // One after the other: some of them go on serving.
    for (const member of plan.replace) await this.#replace(ctx, member)
  }

  /** Of services that the bottle has no more. */
  async removeOthers(ctx: Ctx): Promise<void> {
    const others = this.#members().filter(({ service }) => this.#bottle.spec.services[service] === undefined)
    for (const member of others) await this.#retire(ctx, member)
  }

  async finish(ctx: Ctx): Promise<void> {
    failpoint('bottle.up.finish')
    const { owned } = this.#deps.containers
    await allOf(this.#retired, async ({ service, container }) => {
      const { uid, name } = container.metadata
      await owned.remove(ctx, uid)
      this.#tell(service, name, 'removed')
    })
  }

  #members(): Member[] {
    return this.#deps.store.read((tx) => membersOf(tx, this.#bottle))
  }

  async #untilDependencies(ctx: Ctx, dependsOn: Readonly<Record<string, BottleDependency>>): Promise<void> {
    await Promise.all(
      Object.entries(dependsOn).map(async ([name, { condition, required }]) => {
        if (this.services[name] === undefined) return
        try {
          await untilCondition(ctx, this.#deps.store, this.#awaited(name), condition)
        } catch (error) {
          if (required || !hasCode(error, 'failed_precondition')) throw error
        }
      }),
    )
  }

  #awaited(service: string): AwaitedService {
    const isRetired = (id: string) => this.#retired.some(({ container }) => container.metadata.uid === id)
    return { bottle: this.#bottle, service, isRetired }
  }

  async #create(ctx: Ctx, service: string, number: number, options: HeirOptions = {}): Promise<Member> {
    failpoint('bottle.create')
    const { owned } = this.#deps.containers
    const { uid } = this.#bottle.metadata
    const files = await writeFiles(this.#deps, this.#bottle, service)
    const env = memberEnv(this.#deps, this.#bottle, service)
    const request = memberRequest({ bottle: this.#bottle, service, number, env, files })
    const container = await owned.create(ctx, { frontEnd: 'raind', kind: 'Bottle', uid }, request, options)
    this.#takeBack(() => owned.remove(detached(ctx), container.metadata.uid))
    this.#tell(service, container.metadata.name, 'created')
    return { service, number, container }
  }

  /** What an up that was cut off has left under another name. */
  async #named(ctx: Ctx, member: Member): Promise<Member> {
    const { service, number, container } = member
    const name = containerName(this.#bottle, service, number, this.services[service]!)
    if (container.metadata.name !== name) await this.#deps.containers.owned.rename(ctx, container.metadata.uid, name)
    return member
  }

  async #start(ctx: Ctx, { service, container }: Member): Promise<void> {
    if (this.#goal.noStart || !this.#isDown(container)) return
    failpoint('bottle.start')
    const { owned } = this.#deps.containers
    const { uid, name } = container.metadata
    await owned.start(ctx, uid)
    this.#takeBack(() => owned.stop(detached(ctx), uid))
    this.#tell(service, name, 'started')
  }

  /**
   * The old one stays, under another name, until all the rest has succeeded; but one with an address of its own gives
   * that up to the new one, and goes.
   */
  async #replace(ctx: Ctx, old: Member): Promise<void> {
    const { owned } = this.#deps.containers
    const { uid } = old.container.metadata
    const { networks, updateOrder } = this.services[old.service]!
    if (updateOrder === 'start-first' && !this.#goal.noStart && !this.#isDown(old.container)) {
      await this.#overtake(ctx, old)
      return
    }
    await this.#retire(ctx, old)
    if (networks.some(({ address, address6 }) => (address ?? address6) !== undefined)) await owned.remove(ctx, uid)
    else await this.#setAside(ctx, old)
    await this.#start(ctx, await this.#create(ctx, old.service, old.number))
  }

  /** The new one runs, and is well, before the old one gives it its published ports and ends. */
  async #overtake(ctx: Ctx, old: Member): Promise<void> {
    const { owned } = this.#deps.containers
    const { uid, name } = old.container.metadata
    await this.#setAside(ctx, old)
    const heir = await this.#create(ctx, old.service, old.number, { heirOf: uid })
    const { uid: heirId } = heir.container.metadata
    await owned.start(ctx, heirId, { withoutPorts: true })
    this.#tell(old.service, name, 'started')
    await untilHealthy(ctx, this.#deps.store, heir)
    await owned.takePorts(ctx, heirId, uid)
    this.#takeBack(() => owned.takePorts(detached(ctx), uid, heirId))
    await owned.drain(ctx, uid)
    await this.#retire(ctx, old, { withoutPorts: true })
  }

  /** Leaves its name to another one. */
  async #setAside(ctx: Ctx, { service, number, container }: Member): Promise<void> {
    const { owned } = this.#deps.containers
    const { uid, name } = container.metadata
    const own = containerName(this.#bottle, service, number, this.services[service]!)
    const aside = `${own}.${shortId(uid)}`
    if (name === aside) return
    await owned.rename(ctx, uid, aside)
    this.#takeBack(() => owned.rename(detached(ctx), uid, name))
  }

  /** Ends a container that is to go; should the rest fail, it runs again. */
  async #retire(ctx: Ctx, member: Member, again: { readonly withoutPorts?: boolean } = {}): Promise<void> {
    const { owned } = this.#deps.containers
    const { uid, name } = member.container.metadata
    this.#retired.push(member)
    const current = this.#deps.store.read((tx) => tx.getByUid('Container', uid))
    const { pid, nextRestartAt } = current?.status ?? {}
    if (pid === undefined && nextRestartAt === undefined) return
    const { timeoutMs } = this.#goal
    await owned.stop(ctx, uid, timeoutMs === undefined ? {} : { timeoutMs })
    this.#takeBack(() => owned.start(detached(ctx), uid, again))
    this.#tell(member.service, name, 'stopped')
  }

  #isDown({ metadata }: Container): boolean {
    const current = this.#deps.store.read((tx) => tx.getByUid('Container', metadata.uid))
    return current !== undefined && !isAlive(current.status)
  }

  /** What fails there must not keep the rest from being taken back, nor hide why. */
  #takeBack(step: () => Promise<unknown>): void {
    this.#undo.defer(async () => {
      await step().catch((error) =>
        this.#deps.log.error('a step of a bottle cannot be taken back', {
          bottle: this.#bottle.metadata.name,
          error,
        }),
      )
    })
  }

  #tell(service: string, name: string, did: 'created' | 'started' | 'stopped' | 'removed'): void {
    this.#goal.tell?.({ what: 'container', name, service, did })
  }
}

function isThere(look: () => unknown): boolean {
  try {
    look()
    return true
  } catch (error) {
    if (hasCode(error, 'not_found')) return false
    throw error
  }
}
