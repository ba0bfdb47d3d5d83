import type { ReadBottle } from '../compose/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Bottle, BottleManifest } from '../model/bottle.ts'
import type { Container } from '../model/container.ts'
import type { CheckedFinding } from '../model/finding.ts'

/** One container of a bottle. */
export interface Member {
  readonly service: string
  /** Of the replicas of the service, from 1. */
  readonly number: number
  readonly container: Container
}

/** What was done to one container, network or volume, for progress. */
export interface BottleStep {
  readonly what: 'network' | 'volume' | 'container'
  /** Of the thing itself, as the daemon knows it. */
  readonly name: string
  readonly service?: string
  readonly did: 'created' | 'started' | 'stopped' | 'removed'
}

export interface BottleOptions {
  readonly tell?: (step: BottleStep) => void
}

export interface StopBottle extends BottleOptions {
  /** Of each container; its own if absent. */
  readonly timeoutMs?: number
  /** These services alone; all if absent. */
  readonly services?: readonly string[]
}

export interface RemoveBottle extends BottleOptions {
  readonly timeoutMs?: number
  /** Also the volumes that have names, which are kept otherwise. */
  readonly volumes?: boolean
}

export interface RegisterBottle extends BottleOptions {
  /** The images of services that always pull were just pulled: those that are there will do. */
  readonly pulled?: boolean
}

export interface UpBottle extends RegisterBottle {
  /** Containers are made anew though nothing has changed. */
  readonly recreate?: boolean
  /** Only make them. */
  readonly noStart?: boolean
  readonly timeoutMs?: number
}

/**
 * Groups of containers as one. A verb that fails takes back what it has done, and its error names the service, with the
 * last lines of its log. Verbs on one bottle come one after the other. `ref` is a name, an id or a unique prefix of one.
 */
export interface Bottles extends AsyncDisposable {
  /** What a bottle file of the original, or a Compose file that needs no other, says. @throws {StatusError} `invalid_argument` */
  read(text: string): Promise<ReadBottle>
  /** Makes all that it has; nothing runs. @throws {StatusError} `already_exists`, `invalid_argument`, and as `Containers.create` */
  register(ctx: Ctx, manifest: BottleManifest, options?: RegisterBottle): Promise<Bottle>
  /** Has it run: made, or changed where the manifest differs from what is there. */
  up(ctx: Ctx, manifest: BottleManifest, options?: UpBottle): Promise<Bottle>
  /** In the order of its dependencies, whose conditions are waited for; what runs stays. */
  start(ctx: Ctx, ref: string, options?: BottleOptions & { readonly services?: readonly string[] }): Promise<Bottle>
  /** In the reverse order. */
  stop(ctx: Ctx, ref: string, options?: StopBottle): Promise<Bottle>
  /** Stops and starts it. */
  restart(ctx: Ctx, ref: string, options?: StopBottle): Promise<Bottle>
  scale(ctx: Ctx, ref: string, replicas: Readonly<Record<string, number>>, options?: BottleOptions): Promise<Bottle>
  /** Idempotent once it has begun: what a kill of the daemon breaks off is finished at its next start. */
  remove(ctx: Ctx, ref: string, options?: RemoveBottle): Promise<void>
  find(ref: string): Bottle
  list(): Bottle[]
  /** In the order of services and numbers. */
  members(bottle: Bottle): Member[]
  /** Where records and disk disagree; with `repair` what can be mended is. */
  check(options?: { readonly repair?: boolean }): Promise<CheckedFinding[]>
  /** Boot: takes back what was not made whole, finishes removals. */
  recover(ctx: Ctx): Promise<void>
}
