import type { YAMLMap } from 'yaml'
import {
  Composer,
  type Document,
  isScalar,
  LineCounter,
  type ParseOptions,
  Parser,
  type SchemaOptions,
  visit,
} from 'yaml'

/** A document, and how it is told where in the text something of it stands. */
export interface YamlDocument {
  readonly document: Document.Parsed
  readonly lines: LineCounter
}

/** Why a document cannot be read; the offset is that in the text, of what has no place absent. */
export interface YamlFault {
  readonly problem: string
  readonly offset?: number
}

/** The documents of a text that others wrote, one after the other: the next is parsed when it is asked for. */
export function* yamlText(text: string, options: ParseOptions & SchemaOptions): Generator<YamlDocument> {
  const lines = new LineCounter()
  // The parser's own check of keys looks at each with all before it.
  const composer = new Composer({ ...options, uniqueKeys: false, logLevel: 'silent' })
  for (const document of composer.compose(new Parser(lines.addNewLine).parse(text))) yield { document, lines }
}

/** Its syntax, and keys that are there twice. */
export function yamlFault(document: Document.Parsed): YamlFault | undefined {
  const [error] = document.errors
  return error === undefined ? repeatedKey(document) : { problem: yamlProblem(error), offset: error.pos[0] }
}

/** What is said of an error that was thrown while YAML was read. */
export function yamlProblem(error: unknown): string {
  const { message } = error as Error
  return /call stack/.test(message) ? 'it is nested too deep' : message.trim()
}

function repeatedKey(document: Document.Parsed): YamlFault | undefined {
  let found: YamlFault | undefined
  visit(document, {
    Map(_, map) {
      found = repeatedIn(map)
      return found && visit.BREAK
    },
  })
  return found
}

function repeatedIn({ items }: YAMLMap): YamlFault | undefined {
  const seen = new Set<string>()
  for (const { key } of items) {
    // A merge (`<<`) is a symbol, and may be there again.
    if (!isScalar(key) || typeof key.value === 'symbol') continue
    const name = String(key.value)
    if (seen.has(name)) {
      return { problem: `the key ${JSON.stringify(name.slice(0, 100))} is there twice`, offset: key.range?.[0] ?? 0 }
    }
    seen.add(name)
  }
  return undefined
}
