import { constants } from 'node:os'
import { StatusError } from '../lib/errors.ts'

export const SIGKILL = 9

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [name.slice('SIG'.length), number]),
)
/** signal(7), as glibc numbers them. */
const RTMIN = 34
const RTMAX = 64
const REAL_TIME = /^(RTMIN|RTMAX)(?:([+-])(\d{1,2}))?$/

/**
 * The number of a signal on this architecture: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`.
 * @throws {StatusError} `invalid_argument`
 */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '')
  const number = /^\d{1,2}$/.test(text) ? Number(text) : (NUMBERS.get(name) ?? parseRealTime(name))
  if (number === undefined || number < 1 || number > RTMAX) {
    throw new StatusError(
      'invalid_argument',
      `Invalid signal "${text.slice(0, 40)}": use a name such as SIGTERM or a number from 1 to ${RTMAX}`,
    )
  }
  return number
}

function parseRealTime(name: string): number | undefined {
  const [, base, sign, offset = '0'] = REAL_TIME.exec(name) ?? []
  if (base === undefined) return undefined
  const number = (base === 'RTMIN' ? RTMIN : RTMAX) + (sign === '-' ? -Number(offset) : Number(offset))
  return number >= RTMIN && number <= RTMAX ? number : undefined
}
