import type { Event } from '../../model/event.ts'
import { parseMoment } from '../../model/moment.ts'
import type { EventsQuery, WireEvent } from './event-types.ts'

/** Which events are wanted: after a number or from a time on, up to a time. */
export interface EventSpan {
  readonly after?: number
  readonly sinceNs?: bigint
  readonly untilNs?: bigint
}

/** Seconds since 1970 have ten digits, and no daemon tells as many events. */
const SEQUENCE = /^\d{1,9}$/
const NS_PER_MS = 1_000_000n

/** @throws {StatusError} `invalid_argument` */
export function toEventSpan({ since, until }: EventsQuery): EventSpan {
  // Moments are read to the ms: all of that ms is wanted.
  const end = until === undefined ? {} : { untilNs: toNs(parseMoment('until', until)) + NS_PER_MS - 1n }
  if (since === undefined) return end
  if (SEQUENCE.test(since)) return { after: Number(since), ...end }
  return { sinceNs: toNs(parseMoment('since', since)), ...end }
}

export function wireEvent({ sequence, timeNs, kind, action, uid, name, attributes, actor }: Event): WireEvent {
  return {
    sequence,
    time: rfc3339(timeNs),
    type: kind.toLowerCase(),
    action,
    id: uid,
    name,
    attributes,
    ...(actor !== undefined && { actor }),
  }
}

function toNs(ms: number): bigint {
  return BigInt(Math.floor(ms)) * NS_PER_MS
}

function rfc3339(ns: bigint): string {
  const seconds = new Date(Number(ns / NS_PER_MS)).toISOString().slice(0, 19)
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
}
