import { didYouMean } from '../lib/did-you-mean.ts'
import { type Fault, quoted } from './faults.ts'
import { namesKnownAt } from './key-tree.ts'
import { type SchemaError, validate } from './schema-check.js'
import { listOf, mapOf, type Path, placeAt, plainOf, type Tree } from './tree.ts'

/**
 * What of a tree the specification's schema does not admit. `isPart`: what it wants may come from another file.
 */
export function schemaFaults(tree: Tree, { isPart = false } = {}): Fault[] {
  if (validate(plainOf(tree))) return []
  return withoutChoices(validate.errors ?? [])
    .filter(({ keyword }) => !(isPart && keyword === 'required'))
    .slice(0, MAX_FAULTS)
    .map((error) => faultOf(error, tree))
    .toSorted((a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0))
}

const MAX_FAULTS = 100

/** An error, where it has choices with the types of all of them. */
interface Told extends SchemaError {
  readonly types?: readonly string[]
}

/**
 * Of a value that fits none of some choices ajv tells what each of them has against it, and then that none fits. What
 * stays is what that one says whose type the value has.
 */
function withoutChoices(errors: readonly SchemaError[]): readonly Told[] {
  const told: Told[] = []
  for (const error of errors) {
    if (error.keyword !== 'oneOf') {
      told.push(error)
      continue
    }
    const { instancePath } = error
    const isOfIt = (other: Told) =>
      other.instancePath === instancePath || other.instancePath.startsWith(`${instancePath}/`)
    const first = told.findLastIndex((other) => !isOfIt(other)) + 1
    const choices = told.splice(first)
    const isType = (other: Told) => other.keyword === 'type' && other.instancePath === instancePath
    const fitting = choices.filter((other) => !isType(other))
    if (fitting.length > 0) told.push(...fitting)
    else told.push({ ...error, keyword: 'type', types: choices.flatMap(typesOf) })
  }
  return told
}

function typesOf({ types, params }: Told): readonly string[] {
  return types ?? [params['type']].flat().map(String)
}

function faultOf(error: Told, root: Tree): Fault {
  const path = pathOf(error.instancePath, root)
  const key = error.params['additionalProperty']
  if (key === '') return { path, place: placeAt(root, [...path, key]), problem: 'has an empty name' }
  if (typeof key === 'string') {
    return { path: [...path, key], place: placeAt(root, [...path, key]), problem: unknown(path, key) }
  }
  const tree = path.reduce<Tree | undefined>(
    (at, step) => (typeof step === 'number' ? listOf(at)[step] : mapOf(at).get(step)),
    root,
  )
  return { path, place: placeAt(root, path), problem: problemOf(error, tree) }
}

/** A JSON pointer, with the numbers of lists as such. */
function pathOf(pointer: string, root: Tree): Path {
  const path: (string | number)[] = []
  let at: Tree | undefined = root
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    const isItem = Array.isArray(at?.value)
    path.push(isItem ? Number(name) : name)
    at = isItem ? listOf(at)[Number(name)] : mapOf(at).get(name)
  }
  return path
}

function unknown(path: Path, key: string): string {
  const known = namesKnownAt(path)
  if (known.length === 0) return 'is not a name: use letters, digits, ".", "_" and "-"'
  const near = didYouMean(key.slice(0, 64), known)
  return near === undefined ? 'is unknown' : `is unknown; did you mean ${JSON.stringify(near)}?`
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ string: 'a text', number: 'a number', integer: 'an integer', boolean: 'true or false' },
  ...{ array: 'a list', object: 'an object', null: 'nothing' },
}

function problemOf(error: Told, tree: Tree | undefined): string {
  const { keyword, params } = error
  switch (keyword) {
    case 'type':
      return `must be ${listed(typesOf(error))}, not ${kindOf(tree)}${hintOf(error, tree)}`
    case 'required':
      return `needs ${quoted(String(params['missingProperty']))}`
    case 'enum':
      return `must be one of ${[params['allowedValues']].flat().join(', ')}, not ${kindOf(tree)}`
    case 'uniqueItems':
      return `has the same item twice: ${kindOf(listOf(tree)[Number(params['i'])])}`
    case 'minimum':
    case 'maximum':
      return `must be at ${keyword === 'minimum' ? 'least' : 'most'} ${params['limit']}, not ${kindOf(tree)}`
    default:
      return `is not valid: ${kindOf(tree)}`
  }
}

/** YAML takes for a number what was meant as a text. */
function hintOf(error: Told, tree: Tree | undefined): string {
  const isOther = typeof tree?.value === 'number' || typeof tree?.value === 'boolean'
  const types = typesOf(error)
  return isOther && types.includes('string') && !types.includes('boolean') ? '; put it in quotes' : ''
}

/** `a text, a list or nothing` */
function listed(types: readonly string[]): string {
  const names = [...new Set(types)].map((type) => TYPES[type] ?? type)
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function kindOf(tree: Tree | undefined): string {
  const { value, source } = tree ?? { value: null }
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'string') return quoted(value)
  return value === null ? 'nothing' : (source ?? String(value))
}
