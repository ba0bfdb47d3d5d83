import { COMPOSE_KEYS, type ComposeKey } from '../src/compose/keys.ts'
import { marksText } from './mark-text.ts'

const BETWEEN_MARKERS = /(?<=<!-- keys: begin[^>]*-->\n).*(?=<!-- keys: end -->)/s

/** The text of docs/BOTTLES.md with the table of keys between its markers. */
export function withKeys(document: string): string {
  if (!BETWEEN_MARKERS.test(document)) throw new Error('docs/BOTTLES.md has lost its markers')
  return document.replace(BETWEEN_MARKERS, () => `\n${composeKeys()}\n`)
}

function composeKeys(): string {
  const sections = COMPOSE_KEYS.map(({ title, below, keys }) => {
    const where = below === '' ? '' : ` (below \`${below}\`)`
    const rows = Object.entries(keys)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, key]) => `| \`${path}\` | ${keyText(key)} |`)
    return [`### ${title}${where}`, '', '| key | |', '|---|---|', ...rows, ''].join('\n')
  })
  return sections.join('\n')
}

function keyText({ marks, note }: ComposeKey): string {
  const text = marksText(marks)
  return note === undefined ? text : `${text}${text.includes(':') ? ';' : ':'} ${note}`
}
