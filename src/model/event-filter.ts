import { StatusError } from '../lib/errors.ts'
import type { Event } from './event.ts'

type Test = (event: Event, value: string) => boolean

const named = (kind: string): Test => {
  return (event, value) => event.kind === kind && (event.name === value || isIdPrefix(value, event.uid))
}

/** By the key of a filter, as docker has them. */
const TESTS: Readonly<Record<string, Test>> = {
  type: ({ kind }, value) => kind.toLowerCase() === value.toLowerCase(),
  event: ({ action }, value) => action === value,
  container: named('Container'),
  network: named('Network'),
  volume: named('Volume'),
  /** An image's own events, and those of containers made from it. */
  image: (event, value) =>
    event.kind === 'Image'
      ? isImage(value, event.name) || event.attributes['imageId'] === value
      : event.kind === 'Container' && isImage(value, event.attributes['image'] ?? ''),
  label: ({ attributes }, value) => {
    const [key, wanted] = splitOnce(value)
    return Object.hasOwn(attributes, key) && (wanted === undefined || attributes[key] === wanted)
  },
}

export type EventFilter = (event: Event) => boolean

/**
 * A filter of `key=value` texts: of one key any may fit, of different keys all must.
 * @throws {StatusError} `invalid_argument`
 */
export function parseEventFilter(texts: readonly string[]): EventFilter {
  const byKey = Map.groupBy(
    texts.map((text) => {
      const [key, value] = splitOnce(text)
      if (value !== undefined && Object.hasOwn(TESTS, key)) return { test: TESTS[key]!, value }
      const known = Object.keys(TESTS).join(', ')
      throw new StatusError(
        'invalid_argument',
        `Invalid filter "${text.slice(0, 100)}": want key=value; keys: ${known}`,
      )
    }),
    ({ test }) => test,
  )
  return (event) => [...byKey.values()].every((some) => some.some(({ test, value }) => test(event, value)))
}

/** Enough of an id that nobody means a name by it. */
function isIdPrefix(value: string, uid: string): boolean {
  return value.length >= 4 && /^[0-9a-f-]+$/.test(value) && uid.startsWith(value)
}

/** `nginx` and `nginx:1` name `docker.io/library/nginx:1`, as does its whole name. */
function isImage(value: string, name: string): boolean {
  const [short] = name.split(/:[^/]*$|@/)
  return [name, short!].some((whole) => whole === value || whole.endsWith(`/${value}`))
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
