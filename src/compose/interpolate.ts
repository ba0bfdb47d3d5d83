import { messageOf, StatusError } from '../lib/errors.ts'
import { type Fault, quoted } from './faults.ts'
import { isList, isMap, type Path, type Tree, valued } from './tree.ts'

/** The value of a variable; undefined: it is not set. */
export type Variables = (name: string) => string | undefined

const TOKEN = /\$\$|\$\{(?<braced>[A-Za-z_]\w*)(?<operator>:?[-+?])?|\$(?<named>[A-Za-z_]\w*)|\}|\$|[^$}]+/y
const MAX_LEVELS = 32
const MAX_LENGTH = 1024 * 1024

/**
 * Puts values in the place of `$NAME`, `${NAME:-default}` and the like, as the specification's chapter on interpolation
 * has it; `$$` is a `$`. As in a shell, what is not used is not looked at.
 * @throws {StatusError} `invalid_argument`
 */
export function interpolate(text: string, variables: Variables, unset: (name: string) => void = () => {}): string {
  if (!text.includes('$')) return text
  const pattern = new RegExp(TOKEN)

  function read(level: number, isUsed: boolean): string {
    let result = ''
    for (;;) {
      if (result.length > MAX_LENGTH) throw invalid(`is too large with its variables: at most ${MAX_LENGTH} characters`)
      const at = pattern.lastIndex
      const match = pattern.exec(text)
      if (match === null) {
        if (level === 0) return result
        throw noVariable(text, text.length)
      }
      const { braced, operator, named } = match.groups!
      const [token] = match
      if (named !== undefined) result += plain(named, isUsed)
      else if (braced !== undefined) result += readBraced(at, braced, operator, level, isUsed)
      else if (token === '}' && level > 0) return result
      else if (token === '$') throw noVariable(text, at)
      else result += token === '$$' ? '$' : token
    }
  }

  function plain(name: string, isUsed: boolean): string {
    const value = variables(name)
    if (value === undefined && isUsed) unset(name)
    return value ?? ''
  }

  /** From behind the operator, or behind the name, to behind the brace. */
  function readBraced(at: number, name: string, operator: string | undefined, level: number, isUsed: boolean): string {
    if (operator === undefined) {
      if (text[pattern.lastIndex] !== '}') throw noVariable(text, at)
      pattern.lastIndex++
      return plain(name, isUsed)
    }
    if (level === MAX_LEVELS) throw invalid(`has variables in more than ${MAX_LEVELS} levels`)
    const value = variables(name)
    const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'))
    const kind = operator.at(-1)
    const isOtherUsed = isUsed && isSet === (kind === '+')
    const other = read(level + 1, isOtherUsed)
    if (kind === '?' && isOtherUsed) throw missing(name, operator, other)
    return isOtherUsed ? other : kind === '+' ? '' : (value ?? '')
  }

  return read(0, true)
}

function missing(name: string, operator: string, why: string): StatusError {
  const state = operator === '?' ? 'is not set' : 'is not set, or empty'
  return invalid(`needs the variable ${name}, which ${state}${why === '' ? '' : `: ${why.slice(0, 200)}`}`)
}

function noVariable(text: string, at: number): StatusError {
  return invalid(
    `has ${quoted(text.slice(at === text.length ? 0 : at).slice(0, 20))}, which is no variable; write $$ for a $`,
  )
}

function invalid(problem: string): StatusError {
  return new StatusError('invalid_argument', problem)
}

/** All texts of a tree; keys stay. */
export function interpolateTree(
  tree: Tree,
  variables: Variables,
  told: { readonly faults: Fault[]; readonly unset: (name: string, place: Fault['place']) => void },
  path: Path = [],
): Tree {
  const { value, place } = tree
  if (isMap(tree)) {
    const entries = [...tree.value].map(
      ([key, entry]) => [key, interpolateTree(entry, variables, told, [...path, key])] as const,
    )
    return valued(tree, new Map(entries))
  }
  if (isList(tree)) {
    return valued(
      tree,
      tree.value.map((item, index) => interpolateTree(item, variables, told, [...path, index])),
    )
  }
  if (typeof value !== 'string' || tree.tag === 'reset') return tree
  try {
    return valued(
      tree,
      interpolate(value, variables, (name) => told.unset(name, place)),
    )
  } catch (error) {
    told.faults.push({ path, place, problem: messageOf(error) })
    return tree
  }
}
