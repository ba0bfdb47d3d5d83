import { StatusError } from '../../lib/errors.ts'
import { parse, type Rules, type Schema } from '../../lib/schema.ts'

/**
 * Checks a query string against an object schema. Text becomes what the schema asks for: numbers, `true`, `1` or
 * nothing for true, lists by repetition. @throws {StatusError} `invalid_argument`
 */
export function parseQuery<T>(schema: Schema<T>, text: string): T {
  const given = new URLSearchParams(text)
  const properties = 'type' in schema && schema.type === 'object' ? (schema.properties ?? {}) : {}
  const value: Record<string, unknown> = Object.create(null)
  for (const key of new Set(given.keys())) {
    const rules = Object.hasOwn(properties, key) ? properties[key]! : undefined
    const texts = given.getAll(key)
    if (texts.length > 1 && !isList(rules)) {
      throw new StatusError('invalid_argument', `The query has "${key.slice(0, 100)}" more than once`)
    }
    value[key] = isList(rules) ? texts : fromText(rules, texts[0]!)
  }
  return parse(schema, value, 'The query')
}

function isList(rules: Rules | undefined): boolean {
  return rules !== undefined && 'type' in rules && rules.type === 'array'
}

function fromText(rules: Rules | undefined, text: string): unknown {
  if (rules === undefined || !('type' in rules)) return text
  if (rules.type === 'boolean')
    return ['', '1', 'true'].includes(text) || (['0', 'false'].includes(text) ? false : text)
  if (rules.type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text
  return text
}
