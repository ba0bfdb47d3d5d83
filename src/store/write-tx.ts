import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { askedBy } from '../lib/asked-by.ts'
import { StatusError } from '../lib/errors.ts'
import type { NewEvent } from '../model/event.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import { DEFAULT_NAMESPACE, type ObjectMeta, type StoredObject } from '../model/meta.ts'
import type { Database } from './database.ts'
import { nowNs } from './now-ns.ts'
import { ObjectReader } from './read-tx.ts'
import type { ChangeRow } from './recent-changes.ts'
import { isUniqueViolation } from './sqlite-error.ts'
import type { Change, Draft, WriteTx } from './types.ts'

/** What a transaction has written so far. */
export interface Written {
  /** Their revisions follow each other, and the last that was committed. */
  readonly changes: ChangeRow[]
  events: number
}

/** An object of some kind: what all kinds share. */
type AnyObject = StoredObject<unknown, unknown>

/** Writes objects by SQL; every write adds its row to the log of changes. */
export class ObjectWriter extends ObjectReader implements WriteTx {
  readonly #written: Written
  readonly #timeNs: bigint | undefined

  /**
   * @param written gets what this transaction writes
   * @param timeNs when what is told happened, if not now
   */
  constructor(database: Database, written: Written, timeNs?: bigint) {
    super(database)
    this.#written = written
    this.#timeNs = timeNs
  }

  override revision(): number {
    return super.revision() + this.#written.changes.length
  }

  protected override get readsCommitted(): boolean {
    return false
  }

  create<K extends Kind>(kind: K, draft: Draft<K>): Kinds[K] {
    const { ownerReferences, finalizers, managedFields } = draft
    const metadata: ObjectMeta = {
      namespace: draft.namespace ?? DEFAULT_NAMESPACE,
      name: draft.name,
      uid: draft.uid ?? randomUUID(),
      resourceVersion: this.revision() + 1,
      generation: 1,
      labels: draft.labels ?? {},
      annotations: draft.annotations ?? {},
      ...(draft.owner !== undefined && { owner: draft.owner }),
      ...(ownerReferences !== undefined && { ownerReferences }),
      ...(finalizers !== undefined && { finalizers }),
      ...(managedFields !== undefined && { managedFields }),
      createdAt: Date.now(),
    }
    const { object, json } = asStored({ metadata, spec: draft.spec, status: draft.status })
    const { namespace, name, uid, resourceVersion, owner } = metadata
    exclusively(kind, metadata, () =>
      this.sql(
        'INSERT INTO objects (kind, namespace, name, uid, owner_uid, revision, json) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ).run(kind, namespace, name, uid, owner?.uid ?? null, resourceVersion, json),
    )
    this.#log(kind, 'created', metadata, json)
    return object as Kinds[K]
  }

  put<K extends Kind>(kind: K, object: Kinds[K]): Kinds[K] {
    const { uid, name, resourceVersion } = object.metadata
    const current = this.#mustGet(kind, uid, name)
    if (current.metadata.resourceVersion !== resourceVersion) {
      throw new StatusError(
        'conflict',
        `${kind} "${name}" has changed since it was read (revision ${current.metadata.resourceVersion}, not ` +
          `${resourceVersion}): read it again`,
      )
    }
    return this.#replace(kind, current, object)
  }

  putStatus<K extends Kind>(kind: K, uid: string, patch: Partial<Kinds[K]['status']>): Kinds[K] {
    const current = this.#mustGet(kind, uid, uid)
    return this.#replace(kind, current, { ...current, status: { ...(current.status as object), ...patch } })
  }

  delete(kind: Kind, uid: string): boolean {
    const current = this.getByUid(kind, uid)
    if (current === undefined) return false
    const metadata = { ...current.metadata, resourceVersion: this.revision() + 1 }
    this.sql('DELETE FROM objects WHERE kind = ? AND uid = ?').run(kind, uid)
    this.#log(kind, 'deleted', metadata, JSON.stringify({ ...current, metadata }))
    return true
  }

  event({ kind, action, uid, name, attributes }: NewEvent): void {
    const actor = askedBy()
    this.#written.events++
    this.sql(
      'INSERT INTO events (time_ns, kind, action, uid, name, attributes, actor) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(
      this.#timeNs ?? nowNs(),
      kind,
      action,
      uid,
      name,
      JSON.stringify(attributes),
      actor === undefined ? null : JSON.stringify(actor),
    )
  }

  #mustGet<K extends Kind>(kind: K, uid: string, shownAs: string): Kinds[K] {
    const current = this.getByUid(kind, uid)
    if (current === undefined) throw new StatusError('not_found', `${kind} "${shownAs}" does not exist`)
    return current
  }

  #replace<K extends Kind>(kind: K, current: Kinds[K], wanted: AnyObject): Kinds[K] {
    const { namespace, uid, owner, createdAt, resourceVersion, generation } = current.metadata
    const kept = { namespace, uid, createdAt, resourceVersion, generation, ...(owner === undefined ? {} : { owner }) }
    const { owner: _immutable, ...metadata } = wanted.metadata
    const { object: next } = asStored({ ...wanted, metadata: { ...metadata, ...kept } })
    if (isDeepStrictEqual(next, current)) return current
    const stamped = {
      ...next,
      metadata: {
        ...next.metadata,
        resourceVersion: this.revision() + 1,
        generation: isDeepStrictEqual(next.spec, current.spec) ? generation : generation + 1,
      },
    }
    const json = JSON.stringify(stamped)
    const { name, resourceVersion: revision } = stamped.metadata
    exclusively(kind, stamped.metadata, () =>
      this.sql('UPDATE objects SET name = ?, revision = ?, json = ? WHERE kind = ? AND uid = ?').run(
        name,
        revision,
        json,
        kind,
        uid,
      ),
    )
    this.#log(kind, 'updated', stamped.metadata, json)
    return stamped as Kinds[K]
  }

  #log(kind: Kind, action: Change['action'], metadata: ObjectMeta, json: string): void {
    this.sql(
      'INSERT INTO changes (revision, kind, namespace, name, uid, action, json) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(metadata.resourceVersion, kind, metadata.namespace, metadata.name, metadata.uid, action, json)
    const { resourceVersion: revision, uid } = metadata
    this.#written.changes.push({ revision, kind, action, uid, json })
  }
}

/** The object as it will be read: without what JSON leaves out, and sharing nothing with the caller's. */
function asStored(object: AnyObject): { object: AnyObject; json: string } {
  const json = JSON.stringify(object)
  return { object: JSON.parse(json) as AnyObject, json }
}

function exclusively(kind: Kind, { namespace, name, uid }: ObjectMeta, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    const byName = error.message.includes('objects.name')
    const message = byName
      ? `${kind} "${name}" already exists${namespace === DEFAULT_NAMESPACE ? '' : ` in "${namespace}"`}`
      : `${kind} "${name}" cannot have the uid ${uid}: it is taken`
    throw new StatusError('already_exists', message, { cause: error })
  }
}
