import type { DatabaseSync } from 'node:sqlite'
import { StatusError } from '../lib/errors.ts'

/**
 * The schema's history. The number of a migration is its place from 1, and `PRAGMA user_version` of a file says which
 * was its last. One that was released is never changed: add another, and a fixture of the file before it
 * (scripts/make-store-fixture.ts).
 *
 *   objects  the present, one row an object
 *   changes  the log of it: what watchers read; the key is the revision, the object's `resourceVersion`
 *   events   what happened: told, not kept up to date
 */
const MIGRATIONS: readonly ((database: DatabaseSync) => void)[] = [
  (database) =>
    database.exec(`
      CREATE TABLE objects (
        id        INTEGER PRIMARY KEY, -- the order of creation
        kind      TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name      TEXT NOT NULL,
        uid       TEXT NOT NULL,
        owner_uid TEXT,
        revision  INTEGER NOT NULL,
        json      TEXT NOT NULL
      ) STRICT;
      CREATE INDEX objects_by_kind ON objects (kind);
      CREATE INDEX objects_by_owner ON objects (owner_uid, kind) WHERE owner_uid IS NOT NULL;
      CREATE UNIQUE INDEX objects_by_name ON objects (kind, namespace, name);
      CREATE UNIQUE INDEX objects_by_uid ON objects (kind, uid);
      CREATE UNIQUE INDEX containers_by_short_id ON objects (substr(uid, 1, 12)) WHERE kind = 'Container';

      CREATE TABLE changes (
        revision  INTEGER PRIMARY KEY AUTOINCREMENT,
        kind      TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name      TEXT NOT NULL,
        uid       TEXT NOT NULL,
        action    TEXT NOT NULL,
        json      TEXT NOT NULL
      ) STRICT;

      CREATE TABLE events (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        time_ns    INTEGER NOT NULL,
        kind       TEXT NOT NULL,
        action     TEXT NOT NULL,
        uid        TEXT NOT NULL,
        name       TEXT NOT NULL,
        attributes TEXT NOT NULL
      ) STRICT;
    `),
  // Who asked, as JSON: `{"uid":0,"pid":42}`.
  (database) => database.exec('ALTER TABLE events ADD COLUMN actor TEXT'),
]

export const SCHEMA_VERSION = MIGRATIONS.length

/** The number of the file's last migration; reads only. @throws {StatusError} `failed_precondition` if it is newer than this program */
export function schemaVersion(database: DatabaseSync, file: string): number {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version <= SCHEMA_VERSION) return version
  throw new StatusError(
    'failed_precondition',
    `Cannot open the database ${file}: a newer version of this program wrote it (schema ${version}, this one knows ` +
      `${SCHEMA_VERSION}); start that version, or restore a backup made before the upgrade`,
  )
}

/** Brings the file from schema `version` to the newest, in one transaction. */
export function migrate(database: DatabaseSync, version: number): void {
  if (version === SCHEMA_VERSION) return
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const migration of MIGRATIONS.slice(version)) migration(database)
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
