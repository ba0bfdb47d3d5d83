import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flags } from './command.ts'
import { CliError } from './errors.ts'
import { LABEL_FILTERS, PRUNE_FILTERS, readFilters } from './filters.ts'

const flags = (...entries: string[]) => ({ list: () => entries }) as unknown as Flags

test('keys become what the API calls them', () => {
  const filters = readFilters(flags('label=a=b', 'label=a', 'label!=c', 'until=24h'), PRUNE_FILTERS)
  assert.deepEqual(filters, [
    ['label', 'a=b'],
    ['label', 'a'],
    ['label', '!c'],
    ['until', '24h'],
  ])
})

test('what is no filter is told', () => {
  for (const [entry, message] of [
    ['lable=x', /Unknown filter "lable"; did you mean "label"\?/],
    ['toString=x', /Unknown filter/],
    ['label', /has no value/],
  ] as const) {
    assert.throws(
      () => readFilters(flags(entry), LABEL_FILTERS),
      (error) => error instanceof CliError && error.exitCode === 125 && message.test(error.message),
      entry,
    )
  }
})
