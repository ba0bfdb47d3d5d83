import type { Mark } from '../src/lib/schema.ts'

const VERDICTS: Readonly<Record<Mark['verdict'], string>> = {
  ignored: 'warned',
  refused: 'refused',
  dropped: 'not taken',
}

/** `honoured`, `warned unless Cluster`, `refused if SCTP: ...` */
export function marksText(marks: readonly Mark[]): string {
  return marks.length === 0 ? 'honoured' : marks.map(markText).join('; ')
}

function markText({ verdict, why, only, except }: Mark): string {
  const values = (list: readonly unknown[]) => [...new Set(list.map((value) => `\`${valueText(value)}\``))].join(', ')
  const condition =
    only === undefined ? (except === undefined ? '' : ` unless ${values(except)}`) : ` if ${values(only)}`
  return `${VERDICTS[verdict]}${condition}${why === undefined ? '' : `: ${why}`}`
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
