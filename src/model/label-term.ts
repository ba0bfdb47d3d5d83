import { StatusError } from '../lib/errors.ts'
import type { Labels } from './meta.ts'

/** What a label must be, or must not be. */
export interface LabelTerm {
  readonly key: string
  /** Absent: any. */
  readonly value?: string
  readonly negated: boolean
}

/** `key`, `key=value`, and with a `!` before them what is not so. @throws {StatusError} `invalid_argument` */
export function parseLabelTerm(text: string): LabelTerm {
  const negated = text.startsWith('!')
  const [key, value] = (negated ? text.slice(1) : text).split(/=(.*)/s)
  if (key === undefined || key === '') {
    throw new StatusError('invalid_argument', `Invalid label filter "${text.slice(0, 40)}": want KEY or KEY=VALUE`)
  }
  return { key, ...(value !== undefined && { value }), negated }
}

/** Whether all of the terms hold. */
export function matchesLabels(labels: Labels, terms: readonly LabelTerm[]): boolean {
  return terms.every(({ key, value, negated }) => {
    const isSo = Object.hasOwn(labels, key) && (value === undefined || labels[key] === value)
    return isSo !== negated
  })
}
