import { isObject } from '../../../lib/is-object.ts'
import type { Rules } from '../../../lib/schema.ts'
import { assemble, isCollection, type Part, type Parts, partsOf } from './parts.ts'

/**
 * What is applied, put into what is there: it wins, and what it does not mention stays. A field that is applied as null
 * is taken away; a map or a merged list that is applied as null counts as empty, since what others put there is theirs.
 *
 * Properties keep their places, new ones come last. For the order of lists see `mergedOrder`.
 */
export function mergeValues(rules: Rules, live: unknown, applied: unknown): unknown {
  const stated = partsOf(rules, applied)
  if (stated === undefined) return withoutNulls(applied)
  const present = partsOf(rules, live)
  const was: Parts = present ?? new Map()
  const order = Array.isArray(applied) ? mergedOrder(was, stated) : new Set([...was.keys(), ...stated.keys()])
  const merged: [string, unknown][] = []
  for (const element of order) {
    const part = stated.get(element)
    const old = was.get(element)?.value
    const value = part === undefined ? old : mergePart(part, old)
    if (value !== undefined && value !== null) merged.push([element, value])
  }
  return assemble(rules, merged, present && { value: live, parts: present })
}

function mergePart({ rules, value }: Part, live: unknown): unknown {
  if (value !== null && value !== undefined) return mergeValues(rules, live, value)
  return isCollection(rules) ? live : undefined
}

/**
 * The order of a merged list, by path elements. It is that of structured-merge-diff (typed/merge.go): entries of the
 * applied list stand in its order; one that only the live list has stays behind the one it followed there, and ahead of
 * new ones. Where the two lists disagree about the order of what both have, the live list's others come early.
 */
export function mergedOrder(live: ReadonlyMap<string, unknown>, applied: ReadonlyMap<string, unknown>): Set<string> {
  const order = new Set<string>()
  const rest = [...live.keys()]
  const shared = [...applied.keys()].filter((element) => live.has(element))
  let passed = 0
  let met = 0
  const passUntil = (element: string | undefined) => {
    for (; passed < rest.length && rest[passed] !== element; passed++) {
      if (!applied.has(rest[passed]!)) order.add(rest[passed]!)
    }
  }
  for (const element of applied.keys()) {
    passUntil(shared[met])
    order.add(element)
    if (element === shared[met]) met++
  }
  passUntil(undefined)
  return order
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const entries = Object.entries(value).filter(([, item]) => item !== null)
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]))
}
