import { CliError, usageError } from '../errors.ts'

/** A side of a copy: a path of the caller's, or one in a container. */
export interface CopyPath {
  readonly container?: string
  readonly path: string
}

/** `CONTAINER:PATH`, or a path: what begins with `/` or `.` is one, whatever colons it has (docker cp). */
export function parseCopyPath(text: string): CopyPath {
  const colon = text.indexOf(':')
  if (colon < 0 || text.startsWith('/') || text.startsWith('.')) return { path: text }
  const [container, path] = [text.slice(0, colon), text.slice(colon + 1)]
  if (container === '' || path === '') throw usageError(`"${text}" names no path in a container: want CONTAINER:PATH`)
  return { container, path }
}

/** What is known of one side. */
export interface CopySource {
  /** The last name of its path, or `.` for what is in a directory, without itself. */
  readonly name: string
  readonly isDirectory: boolean
}

export type CopyTarget = 'directory' | 'other' | 'absent'

/** Where to extract, and how what the archive begins with is called there; absent: as it is. */
export interface CopyPlan {
  readonly directory: string
  readonly rename?: string
}

/** docker's rules for every case of what there is on both sides. @throws {CliError} */
export function planCopy(source: CopySource, path: string, target: CopyTarget): CopyPlan {
  if (target === 'directory') return { directory: path }
  if (target === 'other' && source.isDirectory) {
    throw new CliError(`Cannot copy a directory to "${path}": it is a file`)
  }
  if (/\/\.?$/.test(path)) {
    throw new CliError(target === 'other' ? `"${path}" is not a directory` : `There is no directory "${path}"`)
  }
  const slash = path.lastIndexOf('/')
  const rename = path.slice(slash + 1)
  if (rename === '.' || rename === '..') throw new CliError(`There is no directory "${path}"`)
  return { directory: slash < 0 ? '.' : path.slice(0, slash + 1), rename }
}

/** The name that an archive of a path begins with: of `a/b` and `a/b/` it is `b`, of `a/b/.` it is `.`. */
export function sourceName(path: string): string {
  if (path === '.' || path.endsWith('/.')) return '.'
  return path.replace(/\/+$/, '').split('/').at(-1) || '.'
}

/** An entry's path under another first name; both are byte strings. */
export function renamed(path: string, rename: string | undefined): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (rename === undefined) return parts.join('/')
  const isBare = path === '.' || path.startsWith('./')
  return [rename, ...(isBare ? parts : parts.slice(1))].join('/')
}
