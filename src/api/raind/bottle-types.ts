import { array, boolean, integer, map, object, optional, type Static, string } from '../../lib/schema.ts'
import type { BottleState } from '../../model/bottle-state.ts'
import type { WireContainer } from './types.ts'

const pulled = optional(boolean())

/** `pulled`: the client has just pulled what services always pull, with credentials that only it has. */
export const registerBottleQuery = object({ pulled })

/** Answers with a JSON line for each step, and `{"type":"done","bottle":...}` or the envelope of a failure last. */
export const upBottleQuery = object({
  /** Containers are made anew though nothing has changed. */
  recreate: optional(boolean()),
  /** Only make them. */
  noStart: optional(boolean()),
  pulled,
  /** Seconds that each container has to end. */
  timeout: optional(integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
})

export const bottleActionBody = object({
  /** These alone; all if absent. */
  services: optional(array(string({ maxLength: 128 }), { maxItems: 1024 })),
  /** Seconds that each container has to end. */
  timeout: optional(integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  /** Of `delete`: also the volumes that have names. */
  volumes: optional(boolean()),
  /** Of `scale`: how many containers services have. */
  replicas: optional(map(integer({ minimum: 0, maximum: 1000 }))),
})
export type BottleActionBody = Static<typeof bottleActionBody>

export interface WireRegisteredBottle {
  readonly bottleId: string
  readonly bottleName: string
  /** In the order of their names. */
  readonly services: readonly string[]
  readonly startOrder: readonly string[]
  readonly warnings: readonly string[] | null
}

export interface WireBottleSummary {
  readonly bottleId: string
  readonly bottleName: string
  readonly serviceCount: number
  readonly status: BottleState
}

export interface WireBottle {
  readonly bottleId: string
  readonly bottleName: string
  readonly status: BottleState
  readonly services: Readonly<Record<string, WireBottleService>>
  readonly startOrder: readonly string[]
  /** By service; of several replicas the first. */
  readonly containers: Readonly<Record<string, WireContainer>>
  /** All of them. */
  readonly members: readonly WireBottleMember[]
  readonly policies?: readonly WireBottlePolicy[]
  /** The bottle's own network, where it is the only one. */
  readonly network?: string
  readonly networkAuto?: boolean
  readonly createdAt: string
}

export interface WireBottleMember {
  readonly service: string
  readonly number: number
  readonly container: WireContainer
}

export interface WireBottleService {
  readonly image: string
  readonly command?: readonly string[]
  readonly env?: readonly string[]
  /** `8080:80`, `127.0.0.1:53:53/udp` */
  readonly ports?: readonly string[]
  /** `source:destination`, the source a path of the host or the name of a volume */
  readonly mount?: readonly string[]
  readonly network?: string
  readonly tty?: boolean
  readonly dependsOn?: readonly string[]
  readonly replicas: number
}

export interface WireBottlePolicy {
  readonly id: string
  readonly type: string
  readonly source: string
  readonly destination: string
  readonly protocol?: string
  readonly destPort?: number
  readonly comment?: string
}

export type WireBottleStep =
  | {
      readonly type: 'step'
      readonly what: 'network' | 'volume' | 'container'
      readonly name: string
      readonly service?: string
      readonly did: 'created' | 'started' | 'stopped' | 'removed'
    }
  | { readonly type: 'done'; readonly bottle: WireRegisteredBottle }
