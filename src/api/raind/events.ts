import type { Ctx } from '../../lib/ctx.ts'
import { sleep } from '../../lib/long-timer.ts'
import type { Event } from '../../model/event.ts'
import { type EventFilter, parseEventFilter } from '../../model/event-filter.ts'
import type { EventOptions, Store } from '../../store/index.ts'
import { stream } from '../http/reply.ts'
import { type Route, route } from '../http/route.ts'
import { type EventSpan, toEventSpan, wireEvent } from './event-convert.ts'
import { eventsQuery } from './event-types.ts'
import { jsonLines } from './json-lines.ts'
import { NDJSON } from './types.ts'

export type EventSource = Pick<Store, 'events' | 'durable'>

export function eventRoutes(store: EventSource): readonly Route[] {
  return [
    route('GET', '/v1/events', { query: eventsQuery, waits: true }, ({ ctx, id, query }) => {
      const fits = parseEventFilter(query.filter ?? [])
      const events = openEvents(ctx, store, toEventSpan(query))
      return stream(NDJSON, jsonLines(ctx, id, wanted(store, events, fits), wireEvent))
    }),
  ]
}

/** Nothing that happens after this call is missed. @throws {StatusError} `expired` */
function openEvents(ctx: Ctx, store: EventSource, { after, sinceNs, untilNs }: EventSpan): AsyncIterable<Event> {
  const leftMs = untilNs === undefined ? Number.POSITIVE_INFINITY : Number(untilNs / 1_000_000n) - Date.now()
  const follow = leftMs > 0 && (leftMs === Number.POSITIVE_INFINITY || endingIn(ctx, leftMs))
  const from = after ?? (follow ? 'last' : undefined)
  const start: EventOptions = sinceNs !== undefined ? { sinceNs } : from !== undefined ? { after: from } : {}
  return between(store.events(ctx, { ...start, follow }), sinceNs, untilNs)
}

function endingIn({ signal }: Ctx, ms: number): AbortSignal {
  const ending = new AbortController()
  void sleep(ms, signal).then(() => ending.abort())
  return ending.signal
}

/** A clock that was set back makes later events older: each is looked at. */
async function* between(
  events: AsyncIterable<Event>,
  since = 0n,
  until: bigint | undefined,
): AsyncGenerator<Event, void, undefined> {
  for await (const event of events) {
    if (until !== undefined && event.timeNs > until) return
    if (event.timeNs >= since) yield event
  }
}

/** Who was told of an event, and goes on from there, finds the same ones before it after a loss of power. */
async function* wanted(
  store: EventSource,
  events: AsyncIterable<Event>,
  fits: EventFilter,
): AsyncGenerator<Event, void, undefined> {
  for await (const event of events) {
    if (!fits(event)) continue
    await store.durable()
    yield event
  }
}
