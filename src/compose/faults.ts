import { StatusError } from '../lib/errors.ts'
import type { Path, Place } from './tree.ts'
import { pathText } from './tree.ts'

/** What is wrong, and where. */
export interface Fault {
  readonly path: Path
  /** Goes on behind the path: `is unknown`, or `: a sentence`. */
  readonly problem: string
  readonly place?: Place
}

/** What is known and not done, or done otherwise than it says. */
export type Warning = Fault

const MAX_TOLD = 10

/** @throws {StatusError} `invalid_argument` if there are any, naming up to ten */
export function throwFaults(faults: readonly Fault[]): void {
  if (faults.length === 0) return
  const told = faults.slice(0, MAX_TOLD).map(sentenceOf)
  const rest = faults.length > MAX_TOLD ? `; and ${faults.length - MAX_TOLD} more` : ''
  const message = told.length === 1 ? told[0]! : `The project has ${faults.length} faults: ${told.join('; ')}${rest}`
  const details = faults.map(({ path, problem, place }) => ({ path: pathText(path), problem, ...place }))
  throw new StatusError('invalid_argument', message, { details: { faults: details } })
}

/** `compose.yaml, line 7: services.web.imagee is unknown` */
export function sentenceOf({ path, problem, place }: Fault): string {
  const where = place === undefined ? '' : `${placeText(place)}: `
  if (path.length === 0) return `${where}${problem}`
  return `${where}${pathText(path)}${problem.startsWith(':') ? '' : ' '}${problem}`
}

export function placeText({ file, line }: Place): string {
  return line === undefined ? file : `${file}, line ${line}`
}

/** For messages, not too long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text)
}
