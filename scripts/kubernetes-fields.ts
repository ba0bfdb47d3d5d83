import type { Mark, ObjectRules, Rules } from '../src/lib/schema.ts'
import { KUBE_KINDS } from '../src/model/kube/kinds.ts'
import { marksText } from './mark-text.ts'

const HEAD = ['| field | type | |', '|---|---|---|']

const BETWEEN_MARKERS = /(?<=<!-- fields: begin[^>]*-->\n).*(?=<!-- fields: end -->)/s

/** The text of docs/KUBERNETES.md with what the schemas give between its markers: for each kind a table of its fields. */
export function withFields(document: string): string {
  if (!BETWEEN_MARKERS.test(document)) throw new Error('docs/KUBERNETES.md has lost its markers')
  return document.replace(BETWEEN_MARKERS, () => `\n${kubernetesFields()}\n`)
}

function kubernetesFields(): string {
  const seen: Seen = new Map()
  const sections = Object.entries(KUBE_KINDS).map(([kind, { apiVersion, schema }]) => {
    const rows = rowsBelow(schema as ObjectRules, '', kind, seen)
    return [`## ${kind} (\`${apiVersion}\`)`, '', ...HEAD, ...rows, ''].join('\n')
  })
  return sections.join('\n')
}

/** Where a schema that is used in many places was told in full. */
type Seen = Map<Rules, { readonly kind: string; readonly path: string }>

function rowsBelow(rules: ObjectRules, path: string, kind: string, seen: Seen): string[] {
  return Object.entries(rules.properties ?? {}).flatMap(([name, property]) => {
    const at = path === '' ? name : `${path}.${name}`
    if (at === 'apiVersion' || at === 'kind') return []
    const marks = rules.marks?.[name] ?? []
    const needed = rules.required?.includes(name) ? ', required' : ''
    const inner = innermost(property)
    const isWhole = marks.some((mark) => mark.only === undefined)
    const isObject = 'type' in inner && inner.type === 'object' && inner.properties !== undefined
    const told = isObject && !isWhole ? seen.get(inner) : undefined
    if (told !== undefined) return [row(at, `as ${placeOf(told, kind)}`, needed, marks)]
    const own = row(at, typeText(property), needed, marks)
    if (!isObject || isWhole) return [own]
    seen.set(inner, { kind, path: at })
    return [own, ...rowsBelow(inner, `${at}${suffix(property)}`, kind, seen)]
  })
}

function placeOf({ kind, path }: { readonly kind: string; readonly path: string }, here: string): string {
  return kind === here ? `\`${path}\`` : `\`${path}\` of ${kind}`
}

function innermost(rules: Rules): Rules {
  return 'type' in rules && rules.type === 'array' ? innermost(rules.items) : rules
}

function suffix(rules: Rules): string {
  return 'type' in rules && rules.type === 'array' ? `[]${suffix(rules.items)}` : ''
}

function row(path: string, type: string, needed: string, marks: readonly Mark[]): string {
  return `| \`${path}\` | ${type}${needed} | ${marksText(marks)} |`
}

function typeText(rules: Rules): string {
  if ('anyOf' in rules) return rules.anyOf.map(typeText).join(' or ')
  if ('enum' in rules) {
    const words = rules.enum.filter((word) => word !== '').map((word) => `\`${word}\``)
    return words.join(', ')
  }
  switch (rules.type) {
    case undefined:
      return 'anything'
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'text'
    case 'array':
      return listText(rules)
    case 'object':
      if (rules.additionalProperties === false) return 'object'
      return `map to ${typeText(rules.additionalProperties)}`
    case 'integer':
    case 'number': {
      const { minimum, maximum = Infinity } = rules
      if (minimum === undefined) return rules.type
      return maximum >= 2 ** 31 - 1 ? `${rules.type} from ${minimum}` : `${rules.type} from ${minimum} to ${maximum}`
    }
  }
}

function listText({ items, merge }: Extract<Rules, { readonly type: 'array' }>): string {
  const list = 'type' in items && items.type === 'object' ? 'list of objects' : `list of ${typeText(items)}`
  if (merge === undefined) return list
  return merge === 'set'
    ? `${list}, merged as a set`
    : `${list}, merged by ${merge.keys.map((key) => `\`${key}\``).join(', ')}`
}
