/** What a terminal can show; undefined or 0 where it does not say. */
export interface Screen {
  readonly columns: number | undefined
  readonly rows: number | undefined
}

/**
 * The bytes that draw `text` over what was drawn last, which was `before` lines; and how many lines it is now. Each
 * line is cut to the width, and the whole to the height: what wraps or scrolls cannot be drawn over.
 */
export function redraw(text: string, before: number, { columns, rows }: Screen): { text: string; lines: number } {
  const all = text.trimEnd().split('\n')
  const room = rows ? Math.max(2, rows - 1) : all.length
  const left = all.length - room
  const shown = left > 0 ? [...all.slice(0, room - 1), `... and ${left + 1} more`] : all
  const width = columns || Number.POSITIVE_INFINITY
  const up = before > 0 ? `\x1b[${before}A` : ''
  const lines = shown.map((line) => `${[...line].slice(0, width).join('')}\x1b[K\n`)
  return { text: `\r${up}${lines.join('')}\x1b[J`, lines: shown.length }
}
