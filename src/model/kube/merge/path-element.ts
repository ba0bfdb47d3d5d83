/**
 * Path elements, as Kubernetes' FieldsV1 writes them: `f:` and the name of a field or of a map's entry, `k:` and the
 * keys of a list's entry in JSON, `v:` and the value of a set's entry in JSON, `i:` and an index. Each has one spelling
 * here (keys sorted, no spaces), so that elements that mean the same are the same text.
 */
import { isObject } from '../../../lib/is-object.ts'

export function fieldElement(name: string): string {
  return `f:${name}`
}

/** Of an entry of a list: names and values of the fields that tell it from the others. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): string {
  const sorted = keys.length > 1 ? keys.toSorted(([a], [b]) => (a < b ? -1 : 1)) : keys
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`
}

/** In the one spelling; undefined if it is no path element. */
export function parseElement(text: string): string | undefined {
  const content = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'f:':
      return text
    case 'i:':
      return /^\d{1,10}$/.test(content) ? text : undefined
    case 'v:': {
      const value = parseJson(content)
      return isScalar(value) ? valueElement(value) : undefined
    }
    case 'k:': {
      const keys = parseJson(content)
      return isKeys(keys) ? keyElement(Object.entries(keys)) : undefined
    }
    default:
      return undefined
  }
}

/** For people: `spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]`, `metadata.labels["a.b/c"]`. */
export function describePath(path: readonly string[]): string {
  return path.reduce((before, element) => before + describeElement(element, before === ''), '')
}

function describeElement(element: string, first: boolean): string {
  const content = element.slice(2)
  switch (element.slice(0, 2)) {
    case 'f:':
      if (!/^[\w-]+$/.test(content)) return `[${JSON.stringify(content)}]`
      return first ? content : `.${content}`
    case 'k:':
      return `[${Object.entries(JSON.parse(content)).map(([name, value]) => `${name}=${JSON.stringify(value)}`)}]`
    default:
      return `[${content}]`
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isKeys(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && Object.values(value).every(isScalar)
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
