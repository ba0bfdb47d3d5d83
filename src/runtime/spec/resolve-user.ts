import { StatusError } from '../../lib/errors.ts'
import { readRootedFile } from '../../linux/rooted-file.ts'
import type { ContainerOptions } from '../../model/container.ts'
import { type GroupEntry, type PasswdEntry, parseGroups, parsePasswd } from './passwd.ts'

export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  /** The primary group first. */
  readonly additionalGids: readonly number[]
  readonly home: string
}

/** More than any real image's; the files are read on the main thread. */
const MAX_BYTES = 1024 * 1024
/** The kernel's ids are 32 bits; docker takes no more than 31. */
const MAX_ID = 2 ** 31 - 1

/**
 * The ids of `user`, `uid`, `user:group` or `uid:gid` (empty: root), by the image's own passwd and group, with docker's
 * rules: a number need not be known; a given group stands alone, else (or with `mergeGroups`) come all that list the user;
 * then `groupAdd`.
 *
 * The files are the image's and may be anything: they are resolved inside `rootfs`, and only regular ones are read.
 *
 * @throws {StatusError} `invalid_argument` for an unknown name; `resource_exhausted` for a file beyond 1 MiB
 */
export function resolveUser(rootfs: string, user: string, options: GroupOptions = {}): ResolvedUser {
  const read = (path: string) => readRootedFile(rootfs, path, MAX_BYTES)?.toString('utf8') ?? ''
  return findUser(user, parsePasswd(read('etc/passwd')), () => parseGroups(read('etc/group')), options)
}

type GroupOptions = Pick<ContainerOptions, 'groupAdd' | 'mergeGroups'>

/** As `resolveUser`, with the files' entries. */
export function findUser(
  user: string,
  passwd: readonly PasswdEntry[],
  readGroups: () => readonly GroupEntry[],
  { groupAdd = [], mergeGroups = false }: GroupOptions = {},
): ResolvedUser {
  const [name = '', groupName = ''] = user.split(/:(.*)/s)
  const uid = name === '' ? 0 : parseId(name)
  const entry = passwd.find((known) => known.name === name || known.uid === uid)
  if (entry === undefined && uid === undefined) throw unknown('user', name, '/etc/passwd')

  const groups = readGroups()
  const own = { uid: entry?.uid ?? uid!, home: entry?.home || '/' }
  const added = groupAdd.map((group) => findGroup(group, groups))
  const gid = groupName === '' ? (entry?.gid ?? 0) : findGroup(groupName, groups)
  const counts = entry !== undefined && (groupName === '' || mergeGroups)
  const listed = counts ? groups.filter(({ members }) => members.includes(entry.name)) : []
  return { ...own, gid, additionalGids: [...new Set([gid, ...listed.map((group) => group.gid), ...added])] }
}

function findGroup(name: string, groups: readonly GroupEntry[]): number {
  const number = parseId(name)
  const gid = groups.find((known) => known.name === name || known.gid === number)?.gid ?? number
  if (gid === undefined) throw unknown('group', name, '/etc/group')
  return gid
}

function parseId(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined
  const id = Number(text)
  if (id > MAX_ID) throw new StatusError('invalid_argument', `Invalid id ${text.slice(0, 40)}: at most ${MAX_ID}`)
  return id
}

function unknown(kind: string, name: string, file: string): StatusError {
  return new StatusError(
    'invalid_argument',
    `Unknown ${kind} "${name.slice(0, 100)}": the image's ${file} does not have it`,
  )
}
