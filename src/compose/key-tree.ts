import { COMPOSE_KEYS, type ComposeKey } from './keys.ts'
import type { Path } from './tree.ts'

/** The table of keys, step by step. */
export interface KeyNode {
  readonly key?: ComposeKey
  /** By name, or `*`, or `[]`. */
  readonly below: ReadonlyMap<string, KeyNode>
}

interface Growing {
  key?: ComposeKey
  readonly below: Map<string, Growing>
}

export const KEY_TREE: KeyNode = grow()

function grow(): KeyNode {
  const root: Growing = { below: new Map() }
  for (const { below, keys } of COMPOSE_KEYS) {
    for (const [path, key] of Object.entries(keys)) {
      let at = root
      for (const step of stepsOf(below === '' ? path : `${below}.${path}`)) {
        const next = at.below.get(step) ?? { below: new Map() }
        at.below.set(step, next)
        at = next
      }
      at.key = key
    }
  }
  return root
}

/** `ports[].mode` */
function stepsOf(path: string): string[] {
  return path.replaceAll('[]', '.[]').split('.')
}

/** What is below a step; of what has no such name that of any name. */
export function keyBelow(node: KeyNode | undefined, step: string | number): KeyNode | undefined {
  if (node === undefined) return undefined
  return typeof step === 'number' ? node.below.get('[]') : (node.below.get(step) ?? node.below.get('*'))
}

/** The names that are known at a place; empty where any may be, or nothing is known. */
export function namesKnownAt(path: Path): readonly string[] {
  const node = path.reduce<KeyNode | undefined>(keyBelow, KEY_TREE)
  return node === undefined ? [] : [...node.below.keys()].filter((name) => name !== '*' && name !== '[]')
}
