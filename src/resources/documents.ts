import type { Tags } from 'yaml'
import { StatusError } from '../lib/errors.ts'

/** etcd takes no more of one object; of a whole file some. */
const MAX_BYTES = 8 * 1024 * 1024
const MAX_DOCUMENTS = 5000
/** Of anchors: a bomb of some lines can be made of them. */
const MAX_ALIASES = 100

const NOT_JSON = ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`)

/** One object of what is applied, and where it stands: `document 2`, `document 1, item 3`. */
export interface ManifestDocument {
  readonly value: unknown
  readonly place: string
}

/**
 * The objects of a text of YAML documents, or of JSON, which is YAML too; a `List` is taken apart. Empty documents do not count.
 * @throws {StatusError} `invalid_argument` with the line
 */
export async function readDocuments(text: string): Promise<ManifestDocument[]> {
  if (text.length > MAX_BYTES) {
    throw new StatusError('invalid_argument', `The manifest is too large: at most ${MAX_BYTES / 1024 / 1024} MiB`)
  }
  const { parseAllDocuments } = await import('yaml')
  const parsed = parseAllDocuments(text, { version: '1.1', merge: true, customTags: withoutSurprises })
  const documents = Array.isArray(parsed) ? parsed : []
  const read = documents.flatMap((document, index) => {
    const place = `document ${index + 1}`
    const [error] = document.errors
    if (error !== undefined) throw unreadable(place, error.message)
    return itemsOf(
      toValue(() => document.toJS({ maxAliasCount: MAX_ALIASES }), place),
      place,
    )
  })
  if (read.length > MAX_DOCUMENTS) {
    throw new StatusError('invalid_argument', `The manifest has ${read.length} objects: at most ${MAX_DOCUMENTS}`)
  }
  return read
}

/** As kubectl's parser: octal numbers and `yes` are there, `22:22` and `2001-01-01` are texts. */
function withoutSurprises(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !NOT_JSON.includes(tag.tag)))
}

function itemsOf(value: unknown, place: string): ManifestDocument[] {
  if (value === null || value === undefined) return []
  if (!isList(value)) return [{ value, place }]
  return value.items.flatMap((item, index) => itemsOf(item, `${place}, item ${index + 1}`))
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  if (typeof value !== 'object' || value === null) return false
  const { kind, items } = value as { kind?: unknown; items?: unknown }
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)
}

function toValue(read: () => unknown, place: string): unknown {
  try {
    return read()
  } catch (cause) {
    throw unreadable(place, cause instanceof Error ? cause.message : String(cause))
  }
}

function unreadable(place: string, why: string): StatusError {
  return new StatusError('invalid_argument', `The manifest cannot be read: ${place}: ${why.trim()}`)
}
