/** A name with what is there: a text, lines one below the other (none: `<none>`), or a text below it. Undefined: left out. */
export type Field = readonly [name: string, value: string | readonly string[] | { readonly below: string } | undefined]

export const NONE = '<none>'

/**
 * What `describe` prints: `Name:  value`, all values in one column. A name may begin with spaces; what stands below is
 * indented further than that by two.
 */
export function outline(fields: readonly Field[]): string {
  const present = fields.filter(([, value]) => value !== undefined)
  const inLine = present.filter(([, value]) => typeof value === 'string' || Array.isArray(value))
  const width = Math.max(0, ...inLine.map(([name]) => name.length)) + 3
  return present.map((field) => print(field, width)).join('')
}

function print([name, value = '']: Field, width: number): string {
  const indent = name.length - name.trimStart().length + 2
  if (typeof value === 'object' && 'below' in value) return `${name}:\n${indented(value.below, indent)}`
  const lines = typeof value === 'string' ? value.split('\n') : value
  const [first = NONE, ...more] = lines
  const label = `${name}:`.padEnd(width)
  return [label + first, ...more.map((line) => ' '.repeat(width) + line)].map((line) => `${line.trimEnd()}\n`).join('')
}

export function indented(text: string, spaces = 2): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(spaces))
}

/** `Mon, 02 Jan 2006 15:04:05 +0000`, as kubectl tells times. */
export function timeText(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toUTCString().replace('GMT', '+0000')
}
