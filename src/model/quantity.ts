import { StatusError } from '../lib/errors.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/**
 * Bytes as people write them, in powers of 1024: `512`, `64m`, `1.5g`, `64MiB`, `64mb`.
 * `what` names the thing in the message. @throws {StatusError} `invalid_argument`
 */
export function parseBytes(what: string, text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([bkmgt]?)(?:i?b)?$/i.exec(text)
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!)
  if (Number.isSafeInteger(bytes)) return bytes
  throw new StatusError(
    'invalid_argument',
    `Invalid ${what} "${text.slice(0, 40)}": want a number of bytes, with k, m, g or t if you like, as in 64m`,
  )
}

/** CPUs, as in `1.5`, to thousandths of one. @throws {StatusError} `invalid_argument` */
export function milliCpus(cpus: number): number {
  const thousandths = Math.round(cpus * 1000)
  // The kernel takes no CPU quota below 1 ms; the period that we write is 100 ms.
  if (Number.isSafeInteger(thousandths) && thousandths >= 10 && thousandths <= 10_000_000) return thousandths
  throw new StatusError('invalid_argument', `Invalid number of CPUs ${cpus}: want one from 0.01 to 10000, as in 1.5`)
}
