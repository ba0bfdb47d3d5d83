/**
 * Decodes JSON as Go's encoding/json decodes into structs, which is what Raind's public clients do: keys match in any
 * case, unknown ones are ignored, null leaves the zero value, and every kind is exact.
 */
export type GoType =
  | 'string'
  | 'bool'
  | 'int'
  | 'float64'
  | 'time.Time'
  | 'any'
  | { readonly slice: GoType }
  | { readonly struct: Readonly<Record<string, GoType>> }

/** A number as it is written: whether it may become an int depends on that. */
class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const RFC3339 = /^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Decodes the first value of `text`, and nothing may follow it. @throws {Error} in Go's words */
// biome-ignore lint/suspicious/noExplicitAny: tests look into values of every shape
export function decodeGo(type: GoType, text: string): any {
  const value: unknown = JSON.parse(text, (_key, value, context?: { source?: string }) =>
    typeof value === 'number' ? new NumberText(context!.source!) : value,
  )
  return decode(type, value, '')
}

function decode(type: GoType, value: unknown, path: string): unknown {
  if (value === null) return zero(type)
  if (typeof type === 'object')
    return 'slice' in type ? decodeSlice(type.slice, value, path) : decodeStruct(type.struct, value, path)
  switch (type) {
    case 'any':
      return value
    case 'string':
      return typeof value === 'string' ? value : fail(type, value, path)
    case 'bool':
      return typeof value === 'boolean' ? value : fail(type, value, path)
    case 'int':
      return value instanceof NumberText && /^-?\d+$/.test(value.text) && Number.isSafeInteger(Number(value.text))
        ? Number(value.text)
        : fail(type, value, path)
    case 'float64':
      return value instanceof NumberText ? Number(value.text) : fail(type, value, path)
    case 'time.Time':
      return typeof value === 'string' && RFC3339.test(value) ? new Date(value) : fail(type, value, path)
  }
}

function decodeSlice(items: GoType, value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) return fail('[]', value, path)
  return value.map((item, index) => decode(items, item, `${path}[${index}]`))
}

function decodeStruct(fields: Readonly<Record<string, GoType>>, value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof NumberText) {
    return fail('struct', value, path)
  }
  const decoded = Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, zero(type)]))
  for (const [key, member] of Object.entries(value)) {
    const name = key in fields ? key : Object.keys(fields).find((field) => field.toLowerCase() === key.toLowerCase())
    if (name !== undefined && member !== null) decoded[name] = decode(fields[name]!, member, `${path}.${key}`)
  }
  return decoded
}

function zero(type: GoType): unknown {
  if (typeof type === 'object') return 'slice' in type ? null : decodeStruct(type.struct, {}, '')
  const zeros = {
    string: '',
    bool: false,
    int: 0,
    float64: 0,
    'time.Time': new Date('0001-01-01T00:00:00Z'),
    any: null,
  }
  return zeros[type]
}

function fail(type: string, value: unknown, path: string): never {
  const shown = value instanceof NumberText ? `number ${value.text}` : JSON.stringify(value)
  throw new Error(`json: cannot unmarshal ${shown} into Go struct field ${path} of type ${type}`)
}

/** As json.Marshal writes a struct whose fields are all `omitempty`; it escapes what HTML minds. */
export function encodeGo(fields: Readonly<Record<string, unknown>>): string {
  const isEmpty = (value: unknown) =>
    value === undefined ||
    value === '' ||
    value === false ||
    value === 0 ||
    (Array.isArray(value) && value.length === 0)
  const kept = Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)))
  const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }
  return JSON.stringify(kept).replace(/[<>&]/g, (character) => escapes[character]!)
}
