import type { Kind, Kinds } from '../model/kinds.ts'

interface ParsedList {
  readonly byText: ReadonlyMap<string, unknown>
  readonly objects: readonly unknown[]
  /** Of the store, when it was read; undefined: it held what was not committed. */
  readonly revision: number | undefined
}

/**
 * Parses whole lists, and remembers the last one of each kind: asked for again, it costs nothing if the store has the
 * same revision, else the parsing of what has changed. An object is known by its text, so nothing has to be told of
 * writes and roll-backs. Objects are frozen, because several lists share them.
 */
export class ParsedLists {
  readonly #last = new Map<Kind, ParsedList>()

  /** The last list, if that was committed at this revision. */
  known<K extends Kind>(kind: K, revision: number | undefined): Kinds[K][] | undefined {
    const last = this.#last.get(kind)
    return revision !== undefined && last?.revision === revision ? ([...last.objects] as Kinds[K][]) : undefined
  }

  parse<K extends Kind>(kind: K, texts: readonly string[], revision?: number): Kinds[K][] {
    const before = this.#last.get(kind)?.byText
    const objects = texts.map((text) => (before?.get(text) ?? deepFreeze(JSON.parse(text))) as Kinds[K])
    const byText = new Map(texts.map((text, index) => [text, objects[index]]))
    this.#last.set(kind, { byText, objects: [...objects], revision })
    return objects
  }
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
