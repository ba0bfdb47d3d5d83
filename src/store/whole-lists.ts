import { deepFreeze } from '../lib/deep-freeze.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import type { Change } from './types.ts'

/** What a transaction sees. */
export interface ListSource {
  revision(): number
  /** In the order of creation. */
  texts(kind: Kind): readonly { readonly uid: string; readonly json: string }[]
  /** In their order; undefined if not all are kept, or they are too many to be worth it. */
  changesAfter(kind: Kind, revision: number): readonly ChangeText[] | undefined
}

export interface ChangeText {
  readonly uid: string
  readonly action: Change['action']
  readonly json: string
}

interface KnownList {
  /** By uid, in the order of creation. */
  readonly objects: Map<string, unknown>
  readonly revision: number
}

/**
 * Whole lists of a kind as of the last commit that one was asked for at: the next one costs the parsing of what has
 * changed since. Objects are frozen, because several lists share them.
 */
export class WholeLists {
  readonly #known = new Map<Kind, KnownList>()

  /** @param isCommitted whether all that the source sees is: what is not may be rolled back, and is not remembered */
  read<K extends Kind>(kind: K, source: ListSource, isCommitted: boolean): Kinds[K][] {
    const known = this.#known.get(kind)
    const revision = source.revision()
    const changes = known?.revision === revision ? [] : known && source.changesAfter(kind, known.revision)
    const objects =
      known === undefined || changes === undefined
        ? new Map(source.texts(kind).map(({ uid, json }) => [uid, parsed(json)]))
        : applied(isCommitted ? known.objects : new Map(known.objects), changes)
    if (isCommitted) this.#known.set(kind, { objects, revision })
    return [...objects.values()] as Kinds[K][]
  }
}

/** What is created comes last, also with a uid that was there before. */
function applied(objects: Map<string, unknown>, changes: readonly ChangeText[]): Map<string, unknown> {
  for (const { uid, action, json } of changes) {
    if (action === 'deleted') objects.delete(uid)
    else objects.set(uid, parsed(json))
  }
  return objects
}

function parsed(json: string): unknown {
  return deepFreeze(JSON.parse(json))
}
