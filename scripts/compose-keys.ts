import { COMPOSE_KEYS } from '../src/compose/keys.ts'
import { BETWEEN_MARKERS, markText } from './kubernetes-fields.ts'

const HEAD = ['| key | |', '|---|---|']

/** The text of docs/BOTTLES.md with what the reader's own table gives between its markers. */
export function withKeys(document: string): string {
  if (!BETWEEN_MARKERS.test(document)) throw new Error('docs/BOTTLES.md has lost its markers')
  return document.replace(BETWEEN_MARKERS, () => `\n${composeKeys()}\n`)
}

function composeKeys(): string {
  const sections = COMPOSE_KEYS.map(({ title, below, keys }) => {
    const rows = Object.entries(keys).map(([key, { marks, note }]) => {
      const told = marks.length === 0 ? 'honoured' : marks.map(markText).join('; ')
      return `| \`${key}\` | ${told}${note === undefined ? '' : `: ${note}`} |`
    })
    const where = below === '' ? '' : ` (\`${below}\`)`
    return [`### ${title}${where}`, '', ...HEAD, ...rows, ''].join('\n')
  })
  return sections.join('\n')
}
