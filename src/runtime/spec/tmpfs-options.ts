import { StatusError } from '../../lib/errors.ts'

/** Options that undo one another: the last one given holds. */
const OPPOSITES: readonly (readonly string[])[] = [
  ['exec', 'noexec'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['ro', 'rw'],
  ['sync', 'async'],
  ['dirsync'],
  ['atime', 'noatime', 'relatime', 'norelatime', 'strictatime', 'nostrictatime'],
  ['diratime', 'nodiratime'],
  ['mand', 'nomand'],
  ['iversion', 'noiversion'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
]

/** tmpfs(5)'s own, with a value each. */
const VALUES: Readonly<Record<string, RegExp>> = {
  size: /^\d+[kmg%]?$/i,
  mode: /^[0-7]{1,5}$/,
  uid: /^\d+$/,
  gid: /^\d+$/,
  nr_inodes: /^\d+[kmg]?$/i,
  nr_blocks: /^\d+[kmg]?$/i,
  mpol: /^[a-z]+([=:][\w,:=-]+)?$/,
}

const DEFAULTS = ['noexec', 'nosuid', 'nodev', 'rprivate']

/** Docker's defaults and what was given; later options win. @throws {StatusError} `invalid_argument` */
export function tmpfsOptions(given: readonly string[]): string[] {
  const byGroup = new Map<string, string>()
  for (const option of [...DEFAULTS, ...given]) {
    const group = groupOf(option)
    byGroup.delete(group)
    byGroup.set(group, option)
  }
  return [...byGroup.values()]
}

function groupOf(option: string): string {
  const [name = '', value] = option.split(/=(.*)/s)
  if (value !== undefined) {
    if (VALUES[name]?.test(value) === true) return name
  } else {
    const group = OPPOSITES.find((names) => names.includes(name))
    if (group !== undefined) return group[0]!
  }
  throw new StatusError('invalid_argument', `Invalid tmpfs option "${option.slice(0, 100)}": see tmpfs(5) and mount(8)`)
}
