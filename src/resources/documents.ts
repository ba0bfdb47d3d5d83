import { StatusError } from '../lib/errors.ts'
import { isDeeperThan } from '../lib/is-deeper-than.ts'
import { jsonDocuments } from '../lib/json-documents.ts'

/** etcd takes no more of one object; of a whole file some. */
export const MAX_MANIFEST_BYTES = 8 * 1024 * 1024
const MAX_DOCUMENTS = 5000
/** No object of Kubernetes is a third as deep; what walks through one by recursion need not fear for its stack. */
const MAX_DEPTH = 100

/** Where an object stands in what is applied. */
export interface DocumentPlace {
  /** From 1; empty ones count. */
  readonly document: number
  /** For messages: `document 2`, `document 1, item 3`. */
  readonly place: string
}

/** One object of what is applied, or why it cannot be read. */
export type ManifestDocument = DocumentPlace & ({ readonly value: unknown } | { readonly unreadable: string })

/**
 * The objects of a text of YAML documents, or of JSON; a `List` is taken apart. Empty documents do not count.
 * @throws {StatusError} `invalid_argument` for what is too large
 */
export async function readDocuments(text: string): Promise<ManifestDocument[]> {
  if (text.length > MAX_MANIFEST_BYTES) {
    throw new StatusError(
      'invalid_argument',
      `The manifest is too large: at most ${MAX_MANIFEST_BYTES / 1024 / 1024} MiB`,
    )
  }
  const parsed = jsonDocuments(text) ?? (await import('./yaml-documents.ts')).yamlDocuments(text)
  const read: ManifestDocument[] = []
  let document = 0
  for (const content of parsed) {
    document++
    const at = { document, place: `document ${document}` }
    if ('unreadable' in content) read.push({ ...at, ...content })
    else for (const item of itemsOf(content.value, at)) read.push(item)
    if (read.length > MAX_DOCUMENTS) {
      throw new StatusError('invalid_argument', `The manifest has more than ${MAX_DOCUMENTS} objects: split it`)
    }
  }
  return read
}

function* itemsOf(value: unknown, at: DocumentPlace, depth = 0): Generator<ManifestDocument> {
  if (value === null || value === undefined) return
  if (depth === 0 && isDeeperThan(value, MAX_DEPTH)) {
    yield { ...at, unreadable: `it is nested more than ${MAX_DEPTH} levels deep` }
  } else if (isList(value)) {
    for (const [index, item] of value.items.entries()) {
      yield* itemsOf(item, { ...at, place: `${at.place}, item ${index + 1}` }, depth + 1)
    }
  } else yield { ...at, value }
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  if (typeof value !== 'object' || value === null) return false
  const { kind, items } = value as { kind?: unknown; items?: unknown }
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)
}
