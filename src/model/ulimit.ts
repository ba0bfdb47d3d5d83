import { didYouMean } from '../lib/did-you-mean.ts'
import { StatusError } from '../lib/errors.ts'
import type { Ulimit } from './container.ts'

/** Those of setrlimit(2). */
const NAMES =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

/** The runtime opens some itself under the limit, before it lets the process go. */
const MIN_OPEN_FILES = 64

/** Parses `name=soft[:hard]`, as in `nofile=1024:4096`; -1 is unlimited. @throws {StatusError} `invalid_argument` */
export function parseUlimit(text: string): Ulimit {
  const [, name = '', softText = '', hardText = softText] =
    /^([^=]*)=(-1|\d{1,15})(?::(-1|\d{1,15}))?$/.exec(text) ?? []
  if (softText === '') throw invalidUlimit(text, 'want name=soft[:hard], as in nofile=1024:4096')
  if (!NAMES.includes(name)) {
    const near = didYouMean(name, NAMES)
    throw invalidUlimit(text, near === undefined ? `known names are ${NAMES.join(', ')}` : `did you mean ${near}?`)
  }
  const [soft, hard] = [Number(softText), Number(hardText)]
  if (hard !== -1 && (soft === -1 || soft > hard)) throw invalidUlimit(text, 'the soft limit is above the hard one')
  if (name === 'nofile' && soft !== -1 && soft < MIN_OPEN_FILES) {
    throw invalidUlimit(text, `no container starts with less than ${MIN_OPEN_FILES} open files`)
  }
  return { name, soft, hard }
}

function invalidUlimit(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid ulimit "${text.slice(0, 100)}": ${problem}`)
}
