import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { COMPOSE_KEYS } from './keys.ts'

interface Rules {
  readonly $ref?: string
  readonly oneOf?: readonly Rules[]
  readonly items?: Rules
  readonly properties?: Readonly<Record<string, Rules>>
  readonly patternProperties?: Readonly<Record<string, Rules>>
}
const SCHEMA = JSON.parse(readFileSync(new URL('compose-schema.json', import.meta.url), 'utf8')) as Rules & {
  readonly definitions: Readonly<Record<string, Rules>>
}

/** The paths of all that has a name, as the table writes them. */
function pathsOf(rules: Rules, path: string): string[] {
  if (rules.$ref !== undefined) return pathsOf(SCHEMA.definitions[rules.$ref.replace('#/definitions/', '')]!, path)
  const named = Object.entries(rules.properties ?? {}).flatMap(([name, below]) => {
    const at = path === '' ? name : `${path}.${name}`
    return [at, ...pathsOf(below, at)]
  })
  const maps = Object.entries(rules.patternProperties ?? {}).filter(([pattern]) => pattern !== '^x-')
  return [
    ...named,
    ...maps.flatMap(([, below]) => pathsOf(below, `${path}.*`)),
    ...(rules.items === undefined ? [] : pathsOf(rules.items, `${path}[]`)),
    ...(rules.oneOf ?? []).flatMap((choice) => pathsOf(choice, path)),
  ]
}

const TABLE = new Map(
  COMPOSE_KEYS.flatMap(({ below, keys }) =>
    Object.entries(keys).map(([path, key]) => [below === '' ? path : `${below}.${path}`, key] as const),
  ),
)

/** The path and all that it is below. */
function upwards(path: string): string[] {
  return path === '' ? [] : [path, ...upwards(path.replace(/(?:^|\.)[^.[]+$|\[\]$|\.\*$/, ''))]
}

test('each key of the schema is in the table, or below one that is not honoured', () => {
  const hasBelow = (path: string) =>
    [...TABLE.keys()].some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`))
  const missing = new Set(pathsOf(SCHEMA, '')).values().filter((path) => {
    const isCovered = upwards(path).some((above) => TABLE.get(above)?.marks.some((mark) => mark.only === undefined))
    return !TABLE.has(path) && !isCovered && !hasBelow(path)
  })
  assert.deepEqual([...missing], [])
})

test('each key of the table is in the schema', () => {
  const known = new Set(pathsOf(SCHEMA, ''))
  const unknown = [...TABLE.keys()].filter((path) => !known.has(path) && !known.has(path.replace(/\.\*$/, '')))
  assert.deepEqual(unknown, [])
})
