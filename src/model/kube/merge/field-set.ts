/**
 * A set of field paths, as a tree. A step of a path is a path element in the words of Kubernetes' FieldsV1
 * (path-element.ts). A path may be in the set without those that it leads through, and they without it.
 *
 * No node is empty but the root: it is a member, or has children.
 */
export interface FieldSet {
  /** Whether the path that ends here is in the set. Never true of the root: nobody owns an object as a whole. */
  readonly member: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

export const NO_FIELDS: FieldSet = { member: false, children: new Map() }
/** A node that is a member and has nothing below it. */
export const LEAF: FieldSet = { member: true, children: new Map() }

/** Leaves out children that are empty. */
export function fieldSet(member: boolean, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  const kept = new Map<string, FieldSet>()
  for (const [element, child] of children) if (!isEmpty(child)) kept.set(element, child)
  if (kept.size > 0) return { member, children: kept }
  return member ? LEAF : NO_FIELDS
}

/** Of paths, each a list of path elements. */
export function fieldSetOf(...paths: readonly (readonly string[])[]): FieldSet {
  const below = (path: readonly string[]): FieldSet =>
    path.reduceRight<FieldSet>((child, element) => ({ member: false, children: new Map([[element, child]]) }), LEAF)
  return paths.reduce((all, path) => union(all, below(path)), NO_FIELDS)
}

export function isEmpty(set: FieldSet): boolean {
  return !set.member && set.children.size === 0
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a)) return b
  if (isEmpty(b)) return a
  const children = new Map(a.children)
  for (const [element, child] of b.children) children.set(element, union(children.get(element) ?? NO_FIELDS, child))
  return { member: a.member || b.member, children }
}

/** The paths of `a` that are not in `b`. A path of `b` takes none away that leads on from it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  return fieldSet(
    a.member && !b.member,
    a.children.entries().map(([element, child]) => [element, difference(child, b.children.get(element) ?? NO_FIELDS)]),
  )
}

/** The paths that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return fieldSet(
    a.member && b.member,
    a.children.entries().flatMap(([element, child]) => {
      const other = b.children.get(element)
      return other === undefined ? [] : [[element, intersection(child, other)] as const]
    }),
  )
}

export function isSameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  if (a.member !== b.member || a.children.size !== b.children.size) return false
  return a.children.entries().every(([element, child]) => {
    const other = b.children.get(element)
    return other !== undefined && isSameSet(child, other)
  })
}

/** The paths of a set, those first that lead to others. */
export function* pathsOf(set: FieldSet, path: readonly string[] = []): Generator<readonly string[]> {
  if (set.member) yield path
  for (const [element, child] of set.children) yield* pathsOf(child, [...path, element])
}
