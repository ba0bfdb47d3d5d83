import { StatusError } from '../../lib/errors.ts'
import type { LabelSelector, LabelSelectorRequirement } from './label-selector.ts'

const KEY = '([A-Za-z0-9][-A-Za-z0-9_./]*)'
const VALUE = '([-A-Za-z0-9_.]*)'
const SET = new RegExp(String.raw`^${KEY}\s+(in|notin)\s*\(([^()]*)\)$`)
const EQUALITY = new RegExp(String.raw`^${KEY}\s*(==|=|!=)\s*${VALUE}$`)
const EXISTENCE = new RegExp(String.raw`^(!?)\s*${KEY}$`)

/** kubectl's `-l`: `app=web,tier!=back,env in (a,b),!canary` (Kubernetes, "Labels and Selectors"). @throws {StatusError} `invalid_argument` */
export function parseSelector(text: string): LabelSelector {
  // Commas inside parentheses do not end a requirement.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim())
  return { matchExpressions: parts.filter((part) => part !== '').map(parseRequirement) }
}

function parseRequirement(text: string): LabelSelectorRequirement {
  const [, key, operator, list] = SET.exec(text) ?? []
  if (key !== undefined) {
    const values = list!.split(',').map((value) => value.trim())
    return { key, operator: operator === 'in' ? 'In' : 'NotIn', values }
  }
  const [, name, sign, value] = EQUALITY.exec(text) ?? []
  if (name !== undefined) return { key: name, operator: sign === '!=' ? 'NotIn' : 'In', values: [value!] }
  const [, not, present] = EXISTENCE.exec(text) ?? []
  if (present !== undefined) return { key: present, operator: not === '' ? 'Exists' : 'DoesNotExist' }
  throw new StatusError(
    'invalid_argument',
    `Invalid selector "${text.slice(0, 100)}": want KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY or !KEY`,
  )
}
