import type { Kind, Kinds } from '../model/kinds.ts'

/**
 * Parses whole lists, and remembers the last one of each kind: asked for again, it costs the parsing of what has
 * changed. An object is known by its text, so nothing has to be told of writes and roll-backs. Objects are frozen,
 * because several lists share them.
 */
export class ParsedLists {
  readonly #last = new Map<Kind, ReadonlyMap<string, unknown>>()

  parse<K extends Kind>(kind: K, texts: readonly string[]): Kinds[K][] {
    const before = this.#last.get(kind)
    const objects = texts.map((text) => (before?.get(text) ?? deepFreeze(JSON.parse(text))) as Kinds[K])
    this.#last.set(kind, new Map(texts.map((text, index) => [text, objects[index]])))
    return objects
  }
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
