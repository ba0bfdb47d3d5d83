import { Composer, type Document, isScalar, LineCounter, Parser, type Tags, visit, type YAMLMap } from 'yaml'
import type { DocumentContent } from './json-documents.ts'

/** Of anchors: a bomb of some lines can be made of them. */
const MAX_ALIASES = 100

const NOT_JSON = ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`)

/** One after the other: the next is parsed when it is asked for. */
export function* yamlDocuments(text: string): Generator<DocumentContent> {
  const lines = new LineCounter()
  const placeOf = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `at line ${line}, column ${col}`
  }
  // The parser's own check of keys looks at each with all before it.
  const options = { version: '1.1', merge: true, customTags: withoutSurprises, uniqueKeys: false } as const
  for (const document of new Composer({ ...options, logLevel: 'silent' }).compose(
    new Parser(lines.addNewLine).parse(text),
  )) {
    yield contentOf(document, placeOf)
  }
}

function contentOf(document: Document.Parsed, placeOf: (offset: number) => string): DocumentContent {
  const [error] = document.errors
  if (error !== undefined) return { unreadable: `${sentenceOf(error)} ${placeOf(error.pos[0])}` }
  try {
    const repeated = repeatedKey(document)
    if (repeated !== undefined)
      return { unreadable: `the key ${repeated.key} is there twice, ${placeOf(repeated.offset)}` }
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) }
  } catch (error) {
    return { unreadable: sentenceOf(error) }
  }
}

/** As kubectl's parser: octal numbers and `yes` are there, `22:22` and `2001-01-01` are texts. */
function withoutSurprises(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !NOT_JSON.includes(tag.tag)))
}

function repeatedKey(document: Document.Parsed): { readonly key: string; readonly offset: number } | undefined {
  let found: { readonly key: string; readonly offset: number } | undefined
  visit(document, {
    Map(_, map) {
      found = repeatedIn(map)
      return found && visit.BREAK
    },
  })
  return found
}

function repeatedIn({ items }: YAMLMap): { readonly key: string; readonly offset: number } | undefined {
  const seen = new Set<string>()
  for (const { key } of items) {
    // A merge (`<<`) is a symbol, and may be there again.
    if (!isScalar(key) || typeof key.value === 'symbol') continue
    const name = String(key.value)
    if (seen.has(name)) return { key: JSON.stringify(name.slice(0, 100)), offset: key.range?.[0] ?? 0 }
    seen.add(name)
  }
  return undefined
}

function sentenceOf(error: unknown): string {
  const { message } = error as Error
  return /call stack/.test(message) ? 'it is nested too deep' : message.trim()
}
