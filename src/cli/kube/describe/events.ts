import type { WireObject, WireObjectEvent } from '../../../api/raind/index.ts'
import type { Client } from '../../client.ts'
import { shortDuration } from '../../format.ts'
import { table } from '../../table.ts'
import { objectPath } from '../fetch-objects.ts'
import { indented, NONE } from './outline.ts'

export async function fetchEvents(client: Client, { kind, metadata }: WireObject): Promise<readonly WireObjectEvent[]> {
  const path = objectPath(kind, metadata.name, metadata.namespace, { below: '/events' })
  return (await client.call<WireObjectEvent[] | null>('GET', path)) ?? []
}

/** What happened to an object; the same that happened again is one line, with its count. `now` is ms. */
export function eventsText(events: readonly WireObjectEvent[], now: number): string {
  if (events.length === 0) return `Events:  ${NONE}\n`
  const same = Map.groupBy(events, ({ type, reason, message }) => JSON.stringify([type, reason, message]))
  const rows = [...same.values()]
    .map((group) => ({ ...group[0]!, times: group.map(({ time }) => Date.parse(time)).sort((a, b) => a - b) }))
    .toSorted((a, b) => a.times.at(-1)! - b.times.at(-1)!)
    .map(({ type, reason, message, times }) => [type, reason, ageText(times, now), message.trim()])
  const header = ['Type', 'Reason', 'Age', 'Message']
  const rule = header.map((title) => '-'.repeat(title.length))
  return `Events:\n${indented(table(header, [rule, ...rows]))}`
}

function ageText(times: readonly number[], now: number): string {
  const age = shortDuration(now - times.at(-1)!)
  return times.length === 1 ? age : `${age} (x${times.length} over ${shortDuration(now - times[0]!)})`
}
