import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { migrate, schemaVersion } from './migrations.ts'
import type { CopiedObject } from './records-copy.ts'
import { type LogEnds, readLogEnds } from './retention.ts'
import { damaged, explainSqliteError, isDamage } from './sqlite-error.ts'
import { WholeLists } from './whole-lists.ts'

/** The connection of the main thread, with its prepared statements. It never syncs: see durability.ts. */
export class Database {
  readonly file: string
  readonly lists = new WholeLists()
  /** Of what is committed: nobody else writes here. */
  ends: LogEnds
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string, connection: DatabaseSync) {
    this.file = file
    this.#connection = connection
    this.ends = readLogEnds(connection)
  }

  /** Prepared once for each text: build texts from a few shapes, never from values. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** @throws {StatusError} in place of whatever SQLite throws */
  transaction<T>(fn: () => T): T {
    return this.explaining(() => {
      try {
        this.prepare('BEGIN IMMEDIATE').run()
        const result = fn()
        this.prepare('COMMIT').run()
        return result
      } catch (error) {
        if (this.#connection.isTransaction) this.prepare('ROLLBACK').run()
        throw error
      }
    })
  }

  /** @throws {StatusError} in place of whatever SQLite throws */
  explaining<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      const explained = explainSqliteError(error, this.file)
      if (isDamage(explained)) suspect(this.file)
      throw explained
    }
  }

  /** `OFF` outside of the moments that durability.ts names. */
  setSynchronous(mode: 'OFF' | 'NORMAL' | 'FULL'): void {
    this.#connection.exec(`PRAGMA synchronous = ${mode}`)
  }

  /** Into an empty database: objects as they were, whatever made them. */
  restore(objects: readonly CopiedObject[]): void {
    const insert = this.prepare(
      // Of two that cannot both be there, as the copy of an interrupted writer may have them, the later one is.
      'INSERT OR REPLACE INTO objects (kind, namespace, name, uid, owner_uid, revision, json) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    const revision = this.transaction(() => {
      let last = 0
      for (const { kind, object } of objects) {
        const { namespace, name, uid, owner, resourceVersion } = object.metadata
        insert.run(kind, namespace, name, uid, owner?.uid ?? null, resourceVersion, JSON.stringify(object))
        last = Math.max(last, resourceVersion)
      }
      this.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', ?)").run(last)
      return last
    })
    this.ends = { ...this.ends, revision }
  }

  close(): void {
    this.#connection.close()
  }
}

/**
 * Opens or makes the database file, readable by its owner alone, and migrates it. What a migration wrote is on disk
 * when this returns.
 * @throws {StatusError} `failed_precondition` if it is damaged or of a newer schema; it is then left as it was
 */
export function openDatabase(file: string): Database {
  const isSuspect = existsSync(suspicion(file))
  closeSync(openSync(file, 'a', 0o600)) // SQLite gives the -wal and -shm files the same mode
  const connection = new DatabaseSync(file)
  try {
    const version = schemaVersion(connection, file)
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
    migrate(connection, version)
    checkObjects(connection, file, isSuspect ? 'integrity_check' : 'quick_check(objects)')
    if (isSuspect) rmSync(suspicion(file))
    connection.exec('PRAGMA synchronous = OFF')
    return new Database(file, connection)
  } catch (error) {
    connection.close()
    throw explainSqliteError(error, file)
  }
}

/** Some ms for thousands of objects. Damage elsewhere is found when it is read. */
function checkObjects(connection: DatabaseSync, file: string, how: string): void {
  const [verdict] = Object.values(connection.prepare(`PRAGMA ${how}`).get() ?? {})
  if (verdict !== 'ok') throw damaged(file, String(verdict))
}

/** Says that the file was found damaged while it was in use: all of it is looked at when it is opened next. */
export function suspect(file: string): void {
  try {
    closeSync(openSync(suspicion(file), 'w', 0o600))
  } catch {
    // Whoever is told of the damage can do without.
  }
}

function suspicion(file: string): string {
  return `${file}-suspect`
}

/** Moves a damaged database away, with all that belongs to it, to a name that nothing has. @returns the name */
export function setAside(file: string): string {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const names = Array.from({ length: 100 }, (_, i) => `${file}.damaged-${stamp}${i === 0 ? '' : `-${i}`}`)
  const aside = names.find((name) => !existsSync(name))!
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  rmSync(suspicion(file), { force: true })
  return aside
}
