import { didYouMean } from '../lib/did-you-mean.ts'
import type { FlagSpec, Flags } from './command.ts'
import { usageError } from './errors.ts'

/** What may stand before the `=` of a --filter, and what the API makes of what is behind it: its name there, or a pair. */
export type FilterKeys = Readonly<Record<string, string | ((value: string) => [string, string])>>

/** `label!=x`: without that label. */
export const LABEL_FILTERS: FilterKeys = { label: 'label', 'label!': (value) => ['label', `!${value}`] }
export const PRUNE_FILTERS: FilterKeys = { ...LABEL_FILTERS, until: 'until' }

export function filterFlag(keys: FilterKeys, short?: string): FlagSpec {
  const names = Object.keys(keys).filter((key) => !key.endsWith('!'))
  return {
    type: 'string',
    ...(short !== undefined && { short }),
    multiple: true,
    value: 'KEY=VALUE',
    help: `only those; keys: ${names.join(', ')}`,
  }
}

/** Pairs for a query or a body. @throws {CliError} for a filter without a value, or of an unknown key */
export function readFilters(flags: Flags, keys: FilterKeys): [string, string][] {
  return flags.list('filter').map((entry) => {
    const [key = '', value] = entry.split(/=(.*)/s)
    const meaning = Object.hasOwn(keys, key) ? keys[key] : undefined
    const hint = `Filters: ${Object.keys(keys).join(', ')}`
    if (meaning === undefined) {
      const near = didYouMean(key, Object.keys(keys))
      throw usageError(`Unknown filter "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`, hint)
    }
    if (value === undefined) throw usageError(`The filter "${entry}" has no value: want ${key}=VALUE`, hint)
    return typeof meaning === 'string' ? [meaning, value] : meaning(value)
  })
}
