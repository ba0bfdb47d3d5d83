type Row = readonly string[]

/** Rows under a header, columns padded to the widest cell and two spaces apart. */
export function table(header: Row, rows: readonly Row[]): string {
  return rowAligner()([header, ...rows])
}

/** Prints rows as `table`; those of a later call stand under what was printed before. */
export function rowAligner(): (rows: readonly Row[]) => string {
  const widths: number[] = []
  const line = (row: Row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - width(cell))))
      .join('  ')
      .trimEnd()
  return (rows) => {
    for (const row of rows) {
      for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell))
    }
    return rows.map((row) => `${line(row)}\n`).join('')
  }
}

function width(text: string): number {
  return [...text].length
}
