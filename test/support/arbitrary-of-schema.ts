import fc from 'fast-check'
import type { Rules } from '../../src/lib/schema.ts'

export interface ArbitraryOptions {
  /** Texts where the schema has no pattern; its own alphabet makes it likely that two agree. */
  readonly text?: fc.Arbitrary<string>
  /** Properties that are never there: paths of names, `spec.volumes.csi`. */
  readonly without?: (path: string) => boolean
}

/** Values that a schema admits, of all shapes. Patterns of texts are not looked at. */
export function arbitraryOfSchema(rules: Rules, options: ArbitraryOptions = {}, path = ''): fc.Arbitrary<unknown> {
  const { text = fc.constantFrom('', 'a', 'b', 'web', '1', '/x'), without = () => false } = options
  if ('anyOf' in rules) return fc.oneof(...rules.anyOf.map((choice) => arbitraryOfSchema(choice, options, path)))
  if ('enum' in rules) return fc.constantFrom(...rules.enum)
  switch (rules.type) {
    case undefined:
      return fc.jsonValue({ maxDepth: 1 })
    case 'string':
      return text
    case 'boolean':
      return fc.boolean()
    case 'integer':
    case 'number':
      return fc.integer({ min: rules.minimum ?? -3, max: Math.min(rules.maximum ?? 5, (rules.minimum ?? 0) + 5) })
    case 'array':
      return fc.array(arbitraryOfSchema(rules.items, options, path), { maxLength: Math.min(rules.maxItems ?? 2, 2) })
    case 'object': {
      const { properties = {}, required = [], additionalProperties } = rules
      if (additionalProperties !== false) {
        return fc.dictionary(text, arbitraryOfSchema(additionalProperties, options, path), { maxKeys: 2 })
      }
      const at = (name: string) => (path === '' ? name : `${path}.${name}`)
      const fields = Object.entries(properties).filter(([name]) => required.includes(name) || !without(at(name)))
      const model: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
        fields.map(([name, property]) => [name, arbitraryOfSchema(property, options, at(name))]),
      )
      return fc.record(model, { requiredKeys: [...required] })
    }
  }
}
