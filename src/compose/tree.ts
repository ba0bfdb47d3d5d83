/** Where something stands, for messages. */
export interface Place {
  readonly file: string
  /** From 1; absent where lines are not known. */
  readonly line?: number
}

export type Scalar = string | number | boolean | null

export type Json = Scalar | readonly Json[] | { readonly [key: string]: Json }

/**
 * A value of a Compose file that knows where it stands, however often files are merged. Maps are no objects, so that no
 * key of others is one of a prototype.
 */
export interface Tree {
  /** Of what is in a map: that of its key. */
  readonly place: Place
  readonly value: Scalar | readonly Tree[] | TreeMap
  /** Of a scalar that is no text: how it is written. */
  readonly source?: string
  /** Compose's own tags: what was there before is taken away, or replaced as a whole. */
  readonly tag?: 'reset' | 'override'
}

export type TreeMap = ReadonlyMap<string, Tree>

export type Path = readonly (string | number)[]

export function isMap(tree: Tree | undefined): tree is Tree & { readonly value: TreeMap } {
  return tree?.value instanceof Map
}

export function isList(tree: Tree | undefined): tree is Tree & { readonly value: readonly Tree[] } {
  return Array.isArray(tree?.value)
}

/** The text of a scalar; undefined for a list, a map, null, and for nothing. */
export function textOf(tree: Tree | undefined): string | undefined {
  const value = tree?.value
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value)
}

export function mapOf(tree: Tree | undefined): TreeMap {
  return isMap(tree) ? tree.value : new Map()
}

export function listOf(tree: Tree | undefined): readonly Tree[] {
  return isList(tree) ? tree.value : []
}

/** The same place with another value. */
export function valued(tree: Tree, value: Tree['value']): Tree {
  return { place: tree.place, value, ...(tree.tag !== undefined && { tag: tree.tag }) }
}

/** With entries set, or taken away where they are undefined. Of what is no map: a map. */
export function withEntries(tree: Tree, entries: Readonly<Record<string, Tree | undefined>>): Tree {
  const map = new Map(mapOf(tree))
  for (const [key, value] of Object.entries(entries)) {
    if (value === undefined) map.delete(key)
    else map.set(key, value)
  }
  return valued(tree, map)
}

/** Each entry of a map as another one; undefined: without it. */
export function mapEntries(tree: Tree, change: (entry: Tree, key: string) => Tree | undefined): Tree {
  if (!isMap(tree)) return tree
  const entries = [...tree.value].flatMap(([key, entry]) => {
    const changed = change(entry, key)
    return changed === undefined ? [] : [[key, changed] as const]
  })
  return valued(tree, new Map(entries))
}

/** The JSON of it, without what is reset. */
export function plainOf({ value }: Tree): Json {
  if (Array.isArray(value)) return value.filter(isThere).map(plainOf)
  if (!(value instanceof Map)) return value as Scalar
  const entries = [...value].filter(([, entry]) => isThere(entry)).map(([key, entry]) => [key, plainOf(entry)])
  return Object.fromEntries(entries)
}

function isThere({ tag }: Tree): boolean {
  return tag !== 'reset'
}

export function treeOf(value: Json, place: Place): Tree {
  if (Array.isArray(value)) return { place, value: value.map((item) => treeOf(item, place)) }
  if (typeof value !== 'object' || value === null) return { place, value: value as Scalar }
  return { place, value: new Map(Object.entries(value).map(([key, entry]) => [key, treeOf(entry, place)])) }
}

/** Where that is, or what is nearest above it. */
export function placeAt(tree: Tree, path: Path): Place {
  let at: Tree = tree
  for (const step of path) {
    const next = typeof step === 'number' ? listOf(at)[step] : mapOf(at).get(step)
    if (next === undefined) break
    at = next
  }
  return at.place
}

/** About the bytes of its JSON; counting ends soon after `enough`. */
export function weightOf(tree: Tree, enough: number): number {
  const { value } = tree
  if (typeof value === 'string') return value.length + 3
  if (typeof value !== 'object' || value === null) return 5
  let weight = 2
  for (const [key, entry] of value.entries()) {
    if (weight > enough) break
    weight += (typeof key === 'string' ? key.length + 4 : 0) + weightOf(entry as Tree, enough - weight)
  }
  return weight
}

/** For messages: `services.web.ports[0]`. */
export function pathText(path: Path): string {
  const text = path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('')
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}
