import { StatusError } from '../../../lib/errors.ts'
import type { ArrayRules, Rules } from '../../../lib/schema.ts'
import { elementOf, partsOf } from './parts.ts'

/**
 * Refuses an applied object with a list whose entries cannot be told apart: two have the same keys, or one has none.
 * `what` names the object in messages: `Pod "web"`.
 * @throws {StatusError} `invalid_argument`, naming the place: `spec.containers[1]`
 */
export function assertMergeable(schema: Rules, object: unknown, what: string): void {
  check(schema, object, '', what)
}

function check(rules: Rules, value: unknown, path: string, what: string): void {
  if ('type' in rules && rules.type === 'array') {
    if (rules.merge !== undefined && Array.isArray(value)) checkList(rules, value, path, what)
    return
  }
  for (const [element, part] of partsOf(rules, value) ?? []) {
    const name = element.slice('f:'.length)
    check(part.rules, part.value, path === '' ? name : `${path}.${name}`, what)
  }
}

function checkList(rules: ArrayRules, list: readonly unknown[], path: string, what: string): void {
  const seen = new Map<string, number>()
  for (const [index, entry] of list.entries()) {
    const place = `${path}[${index}]`
    const element = elementOf(rules, entry)
    if (element === undefined) throw fault(what, place, lack(rules))
    const first = seen.get(element)
    if (first !== undefined) throw fault(what, place, `repeats "${path}[${first}]": ${rule(rules)}`)
    seen.set(element, index)
    check(rules.items, entry, place, what)
  }
}

function lack({ merge }: ArrayRules): string {
  return typeof merge === 'object'
    ? `has no ${merge.keys.join(' or ')}, by which the entries of this list are told apart`
    : 'must be a text, a number, true or false'
}

function rule({ merge }: ArrayRules): string {
  return `no two entries of this list may be equal${typeof merge === 'object' ? ` in ${merge.keys.join(' and ')}` : ''}`
}

function fault(what: string, path: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `${what}: "${path}" ${problem}`, {
    details: { faults: [{ path, problem }] },
  })
}
