import { posix } from 'node:path'
import { type Fault, quoted } from './faults.ts'
import { isMap, type Path, type Tree, textOf, valued } from './tree.ts'

/** Where paths of the host are relative to. */
export interface Directory {
  /** Absolute; absent: it is not known here. */
  readonly path: string | undefined
  /** That of the user, for `~`. */
  readonly home: string | undefined
}

type Found = { readonly path: string } | { readonly problem: string }

export function absoluteIn({ path: directory, home }: Directory, path: string): Found {
  if (path === '~' || path.startsWith('~/')) {
    return home === undefined ? unknown(path, 'the home directory') : { path: posix.resolve(home, `.${path.slice(1)}`) }
  }
  if (path.startsWith('/')) return { path: posix.resolve(path) }
  return directory === undefined ? unknown(path, 'the directory') : { path: posix.resolve(directory, path) }
}

function unknown(path: string, what: string): Found {
  return { problem: `is ${quoted(path)}, and ${what} that it is relative to is not known here: give an absolute path` }
}

/** Keys of paths of the host in a canonical tree. */
const PATHS = [
  ['configs', '*', 'file'],
  ['secrets', '*', 'file'],
  ['services', '*', 'env_file', '*', 'path'],
  ['services', '*', 'extends', 'file'],
  ['services', '*', 'volumes', '*', 'source'],
  ['services', '*', 'security_opt', '*'],
]

/** A canonical tree with all paths of the host absolute. */
export function withAbsolutePaths(root: Tree, directory: Directory, faults: Fault[]): Tree {
  return PATHS.reduce((tree, keys) => changedAt(tree, keys, [], changePath), root)

  function changePath(tree: Tree, path: Path, above: Tree): Tree {
    const [before, own] = pathIn(textOf(tree) ?? '', path, above)
    if (own === undefined) return tree
    const found = absoluteIn(directory, own)
    if ('path' in found) return valued(tree, before + found.path)
    faults.push({ path, place: tree.place, problem: found.problem })
    return tree
  }
}

/** What stands before the path, and the path, if it is one. */
function pathIn(text: string, path: Path, above: Tree): readonly [string, string?] {
  if (path[2] === 'volumes') return isMap(above) && textOf(above.value.get('type')) === 'bind' ? ['', text] : ['']
  if (path[2] !== 'security_opt') return ['', text]
  const [, before = '', profile] = /^(seccomp[:=])(.+)$/s.exec(text) ?? []
  return profile === undefined || profile === 'unconfined' || profile.startsWith('{') ? [''] : [before, profile]
}

function changedAt(
  tree: Tree,
  [key, ...rest]: readonly string[],
  path: Path,
  change: (tree: Tree, path: Path, above: Tree) => Tree,
): Tree {
  const { value } = tree
  if (typeof value !== 'object' || value === null) return tree
  const changed = (entry: Tree, step: string | number) => {
    if ((key !== '*' && key !== step) || entry.tag === 'reset') return entry
    const at = [...path, step]
    return rest.length === 0 ? change(entry, at, tree) : changedAt(entry, rest, at, change)
  }
  if (Array.isArray(value)) return valued(tree, (value as readonly Tree[]).map(changed))
  return valued(
    tree,
    new Map([...(value as ReadonlyMap<string, Tree>)].map(([step, entry]) => [step, changed(entry, step)])),
  )
}
