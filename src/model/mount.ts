import { StatusError } from '../lib/errors.ts'
import type { Mount } from './container.ts'

const PROPAGATIONS = ['rprivate', 'private', 'rslave', 'slave', 'rshared', 'shared'] as const

/**
 * Parses a bind mount, `source:destination[:option,...]`; options are `ro`, `rw` and a propagation.
 * Both paths are absolute; a colon cannot be part of them.
 * @throws {StatusError} `invalid_argument`
 */
export function parseMount(text: string): Mount {
  const [source, destination, optionText, ...rest] = text.split(':')
  if (source === undefined || destination === undefined || rest.length > 0) {
    throw invalidMount(text, 'want source:destination[:options], as in /srv/data:/data:ro')
  }
  const options = optionText === undefined ? [] : optionText.split(',')
  let readOnly = false
  let propagation: Mount['propagation'] = 'rprivate'
  for (const option of options) {
    if (option === 'ro' || option === 'rw') readOnly = option === 'ro'
    else if (isPropagation(option)) propagation = option
    else
      throw invalidMount(text, `unknown option "${option.slice(0, 40)}"; known are ro, rw, ${PROPAGATIONS.join(', ')}`)
  }
  return {
    source: absolutePath((problem) => invalidMount(text, problem), 'source', source),
    destination: mountPoint(text, destination),
    readOnly,
    propagation,
  }
}

/** A path in a container that something may be mounted on. @throws {StatusError} `invalid_argument` */
export function mountPoint(text: string, path: string): string {
  const destination = absolutePath((problem) => invalidMount(text, problem), 'destination', path)
  if (destination === '/') throw invalidMount(text, 'the destination must not be /')
  return destination
}

/** Without `.`, empty parts and a slash at the end; `..` is refused. */
export function absolutePath(fail: (problem: string) => StatusError, what: string, path: string): string {
  if (!path.startsWith('/')) throw fail(`the ${what} "${path.slice(0, 100)}" is not an absolute path`)
  if (path.includes('\0')) throw fail(`the ${what} contains a NUL character`)
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw fail(`the ${what} must not contain ".."`)
  return `/${parts.join('/')}`
}

function isPropagation(text: string): text is Mount['propagation'] {
  return (PROPAGATIONS as readonly string[]).includes(text)
}

function invalidMount(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid mount "${text.slice(0, 200)}": ${problem}`)
}
