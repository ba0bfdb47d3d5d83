import { markFor } from '../lib/examine.ts'
import { isObject } from '../lib/is-object.ts'
import { KEY_TREE, type KeyNode, keyBelow } from './key-tree.ts'
import type { Path } from './tree.ts'
import { type At, below, fault, warn } from './values.ts'

/** Tells of what the table of keys says that it is not honoured, and of what is refused. */
export function tellMarks(project: unknown, at: At): void {
  tell(project, KEY_TREE, at)
}

function tell(value: unknown, node: KeyNode, at: At): void {
  for (const [step, entry] of stepsOf(value)) {
    const next = typeof step === 'string' && step.startsWith('x-') ? undefined : keyBelow(node, step)
    if (next === undefined) continue
    const mark = markFor(next.key?.marks ?? [], isNo(entry) ? false : entry)
    const here = below(at, step)
    if (mark === undefined) tell(entry, next, here)
    else if (mark.verdict === 'refused') fault(here, `is not supported: ${mark.why}`)
    else warn(here, mark.why === undefined ? 'is not honoured' : `is not honoured: ${mark.why}`)
  }
}

/** What a variable may have made of a truth. */
function isNo(value: unknown): boolean {
  return typeof value === 'string' && /^(?:false|no|n|off)$/i.test(value)
}

function stepsOf(value: unknown): readonly (readonly [Path[number], unknown])[] {
  if (Array.isArray(value)) return [...value.entries()]
  return isObject(value) ? Object.entries(value) : []
}
