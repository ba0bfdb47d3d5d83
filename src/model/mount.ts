import { StatusError } from '../lib/errors.ts'
import type { Mount } from './container.ts'
import { validateNameOrId } from './names.ts'
import type { VolumeRequest, VolumesFrom } from './volume.ts'

export const PROPAGATIONS = ['rprivate', 'private', 'rslave', 'slave', 'rshared', 'shared'] as const

/**
 * Parses a bind mount or a volume, as docker's `-v`. A source with a slash is a path of the host, one without the name of a
 * volume; no source asks for a new volume. A colon cannot be part of a path.
 *
 *     [source:]destination[:option,...]
 *
 * Options are `ro` and `rw`; of a path of the host a propagation, of a volume `nocopy`.
 * @throws {StatusError} `invalid_argument`
 */
export function parseMount(text: string): Mount | VolumeRequest {
  const parts = text.split(':')
  if (parts.length > 3 || text === '') {
    throw invalidMount(text, 'want [source:]destination[:options], as in /srv/data:/data:ro or data:/data')
  }
  const [source, destination, optionText] = parts.length === 1 ? [undefined, text, undefined] : parts
  const isVolume = source === undefined || !source.includes('/')
  const { readOnly, propagation, noCopy } = parseOptions(text, optionText, isVolume)
  const target = mountPoint(text, destination!)
  if (!isVolume) {
    const path = absolutePath((problem) => invalidMount(text, problem), 'source', source)
    return { source: path, destination: target, readOnly, propagation }
  }
  if (source === '') throw invalidMount(text, 'the source is empty: leave the colon out for a volume without a name')
  if (source !== undefined) validateNameOrId('volume', source)
  return { ...(source !== undefined && { volume: source }), destination: target, readOnly, noCopy }
}

function parseOptions(text: string, optionText: string | undefined, isVolume: boolean) {
  let readOnly = false
  let noCopy = false
  let propagation: Mount['propagation'] = 'rprivate'
  for (const option of optionText === undefined ? [] : optionText.split(',')) {
    if (option === 'ro' || option === 'rw') readOnly = option === 'ro'
    else if (isVolume && option === 'nocopy') noCopy = true
    else if (!isVolume && isPropagation(option)) propagation = option
    else {
      const known = isVolume ? 'ro, rw, nocopy' : `ro, rw, ${PROPAGATIONS.join(', ')}`
      const of = isVolume ? 'a volume' : 'a path of the host'
      throw invalidMount(text, `unknown option "${option.slice(0, 40)}"; ${of} has ${known}`)
    }
  }
  return { readOnly, propagation, noCopy }
}

/** Parses `container[:ro|:rw]`. @throws {StatusError} `invalid_argument` */
export function parseVolumesFrom(text: string): VolumesFrom {
  const [container = '', mode = 'rw', ...rest] = text.split(':')
  if (container !== '' && (mode === 'ro' || mode === 'rw') && rest.length === 0) {
    return { container, readOnly: mode === 'ro' }
  }
  throw new StatusError(
    'invalid_argument',
    `Invalid source of volumes "${text.slice(0, 200)}": want container[:ro], as in web:ro`,
  )
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

/** Whether mounts made on one side of it may be seen on the other, as the kernel names it. */
export function isPropagation(text: string): text is Mount['propagation'] {
  return (PROPAGATIONS as readonly string[]).includes(text)
}

function invalidMount(text: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid mount "${text.slice(0, 200)}": ${problem}`)
}
