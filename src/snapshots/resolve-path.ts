import { StatusError } from '../lib/errors.ts'
import { displayPath } from '../linux/at-calls.ts'

/** What a name is, itself: symlinks are not followed. */
export type PathNode =
  | { readonly kind: 'directory' | 'absent' | 'other' }
  | { readonly kind: 'symlink'; readonly target: string }

/** As the kernel's limit (path_resolution(7)). */
const MAX_SYMLINKS = 40

/**
 * Where the directory `path` really is in a root filesystem: symlinks are followed as if the root were `/`, so nothing
 * leads out. What does not exist is taken as it stands, to be made. The result has no symlink, `.` or `..` and is
 * relative; the root is the empty string.
 *
 * @param lookup tells what is at a path that has no symlink before its last name
 * @throws {StatusError} `invalid_argument` if a name on the way is neither a directory nor a symlink, or the symlinks loop
 */
export function resolveDirectory(path: string, lookup: (path: string) => PathNode): string {
  const todo = path.split('/').reverse()
  let resolved: string[] = []
  let symlinks = 0
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      resolved.pop()
      continue
    }
    const candidate = [...resolved, name].join('/')
    const node = lookup(candidate)
    if (node.kind === 'symlink') {
      if (++symlinks > MAX_SYMLINKS) throw invalid(path, 'its symbolic links loop')
      if (node.target.startsWith('/')) resolved = []
      todo.push(...node.target.split('/').reverse())
    } else if (node.kind === 'other')
      throw invalid(path, `${JSON.stringify(displayPath(candidate))} is not a directory`)
    else resolved.push(name)
  }
  return resolved.join('/')
}

/**
 * A path of an archive as one below its root: relative, without `.`, `..` and empty names; the root is the empty
 * string. Absolute paths are meant from the root.
 *
 * @throws {StatusError} `invalid_argument` if `..` leads above the root
 */
export function cleanPath(path: string): string {
  if (path.startsWith('./')) path = path.slice(2)
  if (path.endsWith('/')) path = path.slice(0, -1)
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) throw invalid(path, 'it leads out of the root')
  }
  return names.join('/')
}

/** The directory and the last name of a clean path; the directory of a name in the root is the empty string. */
export function splitPath(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? { directory: '', name: path } : { directory: path.slice(0, slash), name: path.slice(slash + 1) }
}

/** Whether `path` is `directory` or below it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`)
}

function invalid(path: string, why: string): StatusError {
  return new StatusError(
    'invalid_argument',
    `Cannot use path ${JSON.stringify(displayPath(path.slice(0, 300)))}: ${why}`,
  )
}
