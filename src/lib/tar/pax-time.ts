import type { FileTime } from '../file-time.ts'
import { malformed } from './malformed.ts'

/** Decimal seconds with a fraction of any length, negative before 1970. Nanoseconds are rounded down. */
export function paxTime(value: string): FileTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value)
  if (match === null) throw malformed(`"${value.slice(0, 40)}" is not a time`)
  const whole = Number(match[2])
  const fraction = match[3] ?? ''
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'))
  if (match[1] === '') return { seconds: whole, nanoseconds }
  const moreThanNanoseconds = /[1-9]/.test(fraction.slice(9))
  const below = nanoseconds + (moreThanNanoseconds ? 1 : 0)
  return below === 0 ? { seconds: -whole, nanoseconds: 0 } : { seconds: -whole - 1, nanoseconds: 1_000_000_000 - below }
}
