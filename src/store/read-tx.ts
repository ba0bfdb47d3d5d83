import type { SQLInputValue } from 'node:sqlite'
import { StatusError } from '../lib/errors.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import { DEFAULT_NAMESPACE, type Labels } from '../model/meta.ts'
import type { Database } from './database.ts'
import type { ObjectFilter, ReadTx } from './types.ts'
import type { ChangeText, ListSource } from './whole-lists.ts'

interface ObjectText {
  readonly uid: string
  readonly json: string
}

/** Of all kinds: to look through more takes longer than to parse most lists. */
const MOST_CHANGES = 1000

/** Sorts after every name and uid with the prefix before it. */
const LAST = '\u{10ffff}'

/** Reads objects by SQL. Those of whole lists are shared and frozen, every other is parsed anew. */
export class ObjectReader implements ReadTx, ListSource {
  readonly #database: Database
  #open = true

  constructor(database: Database) {
    this.#database = database
  }

  /** Ends the validity of this transaction for whoever kept it. */
  close(): void {
    this.#open = false
  }

  revision(): number {
    return this.#database.ends.revision
  }

  get<K extends Kind>(kind: K, name: string, namespace = DEFAULT_NAMESPACE): Kinds[K] | undefined {
    return parse(
      this.sql('SELECT json FROM objects WHERE kind = ? AND namespace = ? AND name = ?').get(kind, namespace, name),
    )
  }

  getByUid<K extends Kind>(kind: K, uid: string): Kinds[K] | undefined {
    return parse(this.sql('SELECT json FROM objects WHERE kind = ? AND uid = ?').get(kind, uid))
  }

  findByUidPrefix<K extends Kind>(kind: K, prefix: string, limit: number): Kinds[K][] {
    return this.sql('SELECT json FROM objects WHERE kind = ? AND uid >= ? AND uid < ? ORDER BY uid LIMIT ?')
      .all(kind, prefix, prefix + LAST, limit)
      .map((row) => parse<Kinds[K]>(row)!)
  }

  list<K extends Kind>(kind: K, filter: ObjectFilter = {}): Kinds[K][] {
    const { where, values } = condition(kind, filter)
    const isWhole = values.length === 1
    const objects = isWhole
      ? this.#database.lists.read(kind, this, this.readsCommitted)
      : this.#rows(where, values).map(({ json }) => JSON.parse(json) as Kinds[K])
    const { labels } = filter
    return labels === undefined ? objects : objects.filter((object) => carries(object.metadata.labels, labels))
  }

  count(kind: Kind, filter: ObjectFilter = {}): number {
    if (filter.labels !== undefined) return this.list(kind, filter).length
    const { where, values } = condition(kind, filter)
    const row = this.sql(`SELECT count(*) AS count FROM objects WHERE ${where}`).get(...values) as { count: number }
    return row.count
  }

  /** What is not committed has a revision that another commit may get. */
  protected get readsCommitted(): boolean {
    return true
  }

  texts(kind: Kind): ObjectText[] {
    return this.#rows('kind = ?', [kind])
  }

  changesAfter(kind: Kind, revision: number): ChangeText[] | undefined {
    const { first } = this.sql('SELECT min(revision) AS first FROM changes').get() as { first: number | null }
    if (first === null || first > revision + 1 || this.revision() > revision + MOST_CHANGES) return undefined
    const sql = 'SELECT uid, action, json FROM changes WHERE revision > ? AND kind = ? ORDER BY revision'
    return this.sql(sql).all(revision, kind) as unknown as ChangeText[]
  }

  #rows(where: string, values: readonly SQLInputValue[]): ObjectText[] {
    const sql = `SELECT uid, json FROM objects WHERE ${where} ORDER BY id`
    return this.sql(sql).all(...values) as unknown as ObjectText[]
  }

  protected sql(text: string) {
    if (!this.#open) throw new StatusError('internal', 'A transaction of the store was used after its end')
    return this.#database.prepare(text)
  }
}

function condition(kind: Kind, filter: ObjectFilter): { where: string; values: SQLInputValue[] } {
  const terms = ['kind = ?']
  const values: SQLInputValue[] = [kind]
  const add = (term: string, ...more: SQLInputValue[]) => {
    terms.push(term)
    values.push(...more)
  }
  const { namespace, namePrefix, ownerUid } = filter
  if (namespace !== undefined) add('namespace = ?', namespace)
  if (namePrefix !== undefined) add('name >= ? AND name < ?', namePrefix, namePrefix + LAST)
  if (ownerUid !== undefined) add('owner_uid = ?', ownerUid)
  return { where: terms.join(' AND '), values }
}

function parse<T>(row: unknown): T | undefined {
  return row === undefined ? undefined : (JSON.parse((row as ObjectText).json) as T)
}

function carries(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value)
}
