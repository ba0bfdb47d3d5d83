import { StatusError } from '../lib/errors.ts'

interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR'
  /** SQLite's extended result code. */
  readonly errcode: number
}

const BUSY = 5
const LOCKED = 6
const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26
const CONSTRAINT_UNIQUE = 2067

export function isUniqueViolation(error: unknown): error is SqliteError {
  return isSqliteError(error) && error.errcode === CONSTRAINT_UNIQUE
}

export function isDiskFull(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === FULL
}

/** What SQLite threw, said for people; anything else as it is. */
export function explainSqliteError(error: unknown, file: string): unknown {
  if (!isSqliteError(error)) return error
  const options = { cause: error }
  switch (error.errcode & 0xff) {
    case BUSY:
    case LOCKED:
      return new StatusError('unavailable', `The database ${file} is in use by another process`, options)
    case FULL:
      return new StatusError('resource_exhausted', `Cannot write the database ${file}: the disk is full`, options)
    case CORRUPT:
    case NOT_A_DATABASE:
      return damaged(file, error.message, error)
    default:
      return new StatusError('internal', `The database ${file} failed: ${error.message}`, options)
  }
}

export function damaged(file: string, how: string, cause?: unknown): StatusError {
  return new StatusError(
    'failed_precondition',
    `The database ${file} is damaged (${how}): a daemon that starts sets it aside and takes the records from their ` +
      'second copy; where there is none, restore a backup, or move it away with its -wal file to start with an empty one',
    { cause, details: { damaged: true } },
  )
}

/** Whether that is what an error says. */
export function isDamage(error: unknown): error is StatusError {
  return error instanceof StatusError && error.details?.damaged === true
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}
