import { type Fault, placeText } from './faults.ts'
import { isList, isMap, listOf, mapOf, type Path, type Tree, textOf, valued } from './tree.ts'

/**
 * The second over the first, by the specification's chapter on merging; both canonical. Marks of what is reset stay, so
 * that it is also missing where this is merged over yet another.
 */
export function mergeTrees(base: Tree, over: Tree, path: Path, faults: Fault[]): Tree {
  if (over.tag !== undefined || base.tag === 'reset' || isReplaced(path, base, over)) return over
  // A key without a value says nothing.
  if (over.value === null) return base
  if (base.value === null) return over
  if (isMap(base) && isMap(over)) return mergeMaps(base, over, path, faults)
  if (isList(base) && isList(over)) return withUniqueItems({ ...base, value: [...base.value, ...over.value] }, path)
  if (isScalar(base) === isScalar(over) && !isScalar(base)) {
    const problem = `cannot be merged with ${placeText(base.place)}: one is a list, the other an object`
    faults.push({ path, place: over.place, problem })
  }
  return over
}

function isScalar({ value }: Tree): boolean {
  return typeof value !== 'object' || value === null
}

function mergeMaps(base: Tree, over: Tree, path: Path, faults: Fault[]): Tree {
  const entries = new Map(mapOf(base))
  for (const [key, entry] of mapOf(over)) {
    const there = entries.get(key)
    entries.set(key, there === undefined ? entry : mergeTrees(there, entry, [...path, key], faults))
  }
  return { ...base, value: entries }
}

/** What is taken as a whole, and what is of another kind in the second. */
function isReplaced(path: Path, base: Tree, over: Tree): boolean {
  const last = path.at(-1)
  if (typeof last === 'string' && last.startsWith('x-')) return true
  switch (keyOf(path)) {
    case 'command':
    case 'entrypoint':
    case 'healthcheck.test':
      return true
    case 'logging': {
      const [old, own] = [base, over].map((tree) => textOf(mapOf(tree).get('driver')))
      return old !== undefined && own !== undefined && old !== own
    }
    default:
      return path.length === 4 && path[2] === 'environment'
  }
}

/** Of a service: `healthcheck.test`; empty for all else. */
function keyOf(path: Path): string {
  return path[0] === 'services' ? path.slice(2).join('.') : ''
}

/** What two items of a list are the same by; undefined: each is one of its own. */
type Identity = (item: Tree) => string | undefined

/** Where it is, said or not. */
const byTarget =
  (directory: string): Identity =>
  (item) => {
    const [target, source] = ['target', 'source'].map((key) => textOf(mapOf(item).get(key)))
    const name = target ?? source
    return name === undefined || name.startsWith('/') ? name : `${directory}/${name}`
  }

const IDENTITIES = new Map<string, Identity>([
  ['configs', byTarget('')],
  [
    'devices',
    (item) =>
      textOf(item)
        ?.split(':')
        .findLast((part) => part.startsWith('/')),
  ],
  ['env_file', (item) => textOf(mapOf(item).get('path'))],
  ['ports', portIdentity],
  ['secrets', byTarget('/run/secrets')],
  ['tmpfs', (item) => textOf(item)?.split(':', 1)[0]],
  ['volumes', (item) => textOf(mapOf(item).get('target'))],
])

function portIdentity(item: Tree): string {
  const [ip = '0.0.0.0', published = '', target = '', protocol = 'tcp'] = [
    'host_ip',
    'published',
    'target',
    'protocol',
  ].map((key) => textOf(mapOf(item).get(key)))
  return `${ip}:${published}:${target}/${protocol}`
}

/** A later item in the place of one that is the same; equal texts are one. */
export function withUniqueItems(list: Tree, path: Path): Tree {
  if (path[0] === 'networks' && path[2] === 'ipam' && path[3] === 'config') return withUniqueSubnets(list)
  const identity = (path.length === 3 ? IDENTITIES.get(keyOf(path)) : undefined) ?? textOf
  const places = new Map<string, number>()
  const items: Tree[] = []
  for (const item of listOf(list)) {
    const id = identity(item)
    const place = id === undefined ? undefined : places.get(id)
    if (id !== undefined && place === undefined) places.set(id, items.length)
    items[place ?? items.length] = item
  }
  return valued(list, items)
}

/** Those of one subnet are one, entry by entry. */
function withUniqueSubnets(list: Tree): Tree {
  const items = new Map<string, Tree>()
  for (const item of listOf(list)) {
    const subnet = textOf(mapOf(item).get('subnet')) ?? ''
    const there = items.get(subnet)
    items.set(subnet, there === undefined ? item : { ...there, value: new Map([...mapOf(there), ...mapOf(item)]) })
  }
  return valued(list, [...items.values()])
}

/** Without the marks of what was reset, and what they mark. */
export function withoutMarks({ tag, ...tree }: Tree): Tree {
  const { value } = tree
  if (Array.isArray(value)) return { ...tree, value: (value as readonly Tree[]).filter(isThere).map(withoutMarks) }
  if (!(value instanceof Map)) return tree
  const entries = [...(value as ReadonlyMap<string, Tree>)].filter(([, entry]) => isThere(entry))
  return { ...tree, value: new Map(entries.map(([key, entry]) => [key, withoutMarks(entry)])) }
}

function isThere({ tag }: Tree): boolean {
  return tag !== 'reset'
}
