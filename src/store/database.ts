import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { migrate, schemaVersion } from './migrations.ts'
import { damaged, explainSqliteError } from './sqlite-error.ts'
import { WholeLists } from './whole-lists.ts'

/** The connection of the main thread, with its prepared statements. It never syncs: see durability.ts. */
export class Database {
  readonly file: string
  readonly lists = new WholeLists()
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string, connection: DatabaseSync) {
    this.file = file
    this.#connection = connection
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
  transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', fn: () => T): T {
    try {
      this.prepare(begin).run()
      const result = fn()
      this.prepare('COMMIT').run()
      return result
    } catch (error) {
      if (this.#connection.isTransaction) this.prepare('ROLLBACK').run()
      throw explainSqliteError(error, this.file)
    }
  }

  /** `OFF` outside of the moments that durability.ts names. */
  setSynchronous(mode: 'OFF' | 'NORMAL' | 'FULL'): void {
    this.#connection.exec(`PRAGMA synchronous = ${mode}`)
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
  closeSync(openSync(file, 'a', 0o600)) // SQLite gives the -wal and -shm files the same mode
  const connection = new DatabaseSync(file)
  try {
    const version = schemaVersion(connection, file)
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
    migrate(connection, version)
    checkObjects(connection, file)
    connection.exec('PRAGMA synchronous = OFF')
    return new Database(file, connection)
  } catch (error) {
    connection.close()
    throw explainSqliteError(error, file)
  }
}

/** Some ms for thousands of objects. Damage elsewhere is found when it is read. */
function checkObjects(connection: DatabaseSync, file: string): void {
  const { quick_check: verdict } = connection.prepare('PRAGMA quick_check(objects)').get() as { quick_check: string }
  if (verdict !== 'ok') throw damaged(file, verdict)
}
