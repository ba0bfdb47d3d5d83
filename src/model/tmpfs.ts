import { StatusError } from '../lib/errors.ts'
import type { Tmpfs } from './container.ts'
import { mountPoint } from './mount.ts'

const FLAGS = new Set(
  'ro rw exec noexec suid nosuid dev nodev sync async atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime mand nomand'.split(
    ' ',
  ),
)
const VALUES: ReadonlyMap<string, RegExp> = new Map([
  ['size', /^\d+(?:[kmg]|%)?$/i],
  ['nr_blocks', /^\d+[kmg]?$/i],
  ['nr_inodes', /^\d+[kmg]?$/i],
  ['mode', /^[0-7]{1,4}$/],
  ['uid', /^\d{1,10}$/],
  ['gid', /^\d{1,10}$/],
])

/**
 * Parses `destination[:option,...]` with docker's options: `size=64m`, `mode=1777`, `exec` ...
 * @throws {StatusError} `invalid_argument`
 */
export function parseTmpfs(text: string): Tmpfs {
  const colon = text.indexOf(':')
  const destination = colon < 0 ? text : text.slice(0, colon)
  const options = colon < 0 ? [] : text.slice(colon + 1).split(',')
  for (const option of options) checkOption(text, option)
  return { destination: mountPoint(text, destination), options }
}

function checkOption(text: string, option: string): void {
  const equals = option.indexOf('=')
  if (equals < 0 && FLAGS.has(option)) return
  const form = equals < 0 ? undefined : VALUES.get(option.slice(0, equals))
  if (form?.test(option.slice(equals + 1))) return
  throw new StatusError(
    'invalid_argument',
    `Invalid tmpfs "${text.slice(0, 200)}": option "${option.slice(0, 60)}" is not known or its value is wrong; ` +
      `known are ${[...VALUES.keys()].map((key) => `${key}=`).join(', ')}, ${[...FLAGS].join(', ')}`,
  )
}
