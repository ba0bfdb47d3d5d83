import type { Document, LineCounter, Tags } from 'yaml'
import type { DocumentContent } from '../lib/json-documents.ts'
import { yamlFault, yamlProblem, yamlText } from '../lib/yaml-text.ts'

/** Of anchors: a bomb of some lines can be made of them. */
const MAX_ALIASES = 100

const NOT_JSON = ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`)

/** One after the other: the next is parsed when it is asked for. */
export function* yamlDocuments(text: string): Generator<DocumentContent> {
  const options = { version: '1.1', merge: true, customTags: withoutSurprises } as const
  for (const { document, lines } of yamlText(text, options)) yield contentOf(document, lines)
}

function contentOf(document: Document.Parsed, lines: LineCounter): DocumentContent {
  try {
    const fault = yamlFault(document)
    if (fault !== undefined) return { unreadable: `${fault.problem}${placeOf(fault.offset ?? 0, lines)}` }
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) }
  } catch (error) {
    return { unreadable: yamlProblem(error) }
  }
}

function placeOf(offset: number, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset)
  return `, at line ${line}, column ${col}`
}

/** As kubectl's parser: octal numbers and `yes` are there, `22:22` and `2001-01-01` are texts. */
function withoutSurprises(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !NOT_JSON.includes(tag.tag)))
}
