import { array, object, optional, type Static, string } from '../../lib/schema.ts'

/** A line of the events, as it is sent. */
export interface WireEvent {
  /** Rises by one; `since` takes it. */
  readonly sequence: number
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  /** `container`, `image`, `network` ... */
  readonly type: string
  /** `start`, `die`, `pull` ... */
  readonly action: string
  readonly id: string
  readonly name: string
  /** `image`, `exitCode`, `signal` ..., and the labels. */
  readonly attributes: Readonly<Record<string, string>>
  /** Who asked for it; absent where nobody did. */
  readonly actor?: Readonly<Record<string, unknown>>
}

export const eventsQuery = object({
  /** What comes after that sequence (a number below 10^9), or from that time on; absent: what comes from now on. */
  since: optional(string({ maxLength: 64 })),
  /** Ends there; a time as for `since`. */
  until: optional(string({ maxLength: 64 })),
  /** `key=value`: type, event, container, image, network, volume, label. */
  filter: optional(array(string({ maxLength: 8192 }), { maxItems: 100 })),
})
export type EventsQuery = Static<typeof eventsQuery>
