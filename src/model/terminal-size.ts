import { StatusError } from '../lib/errors.ts'

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/** What `struct winsize` can hold. */
const MAX = 65_535

/** @throws {StatusError} `invalid_argument` unless both are whole numbers of 1 to 65535 */
export function terminalSize(rows: number, columns: number): TerminalSize {
  const fits = (value: number) => Number.isInteger(value) && value >= 1 && value <= MAX
  if (fits(rows) && fits(columns)) return { rows, columns }
  throw new StatusError(
    'invalid_argument',
    `A terminal cannot have ${rows} rows and ${columns} columns: both are 1 to ${MAX}`,
  )
}
