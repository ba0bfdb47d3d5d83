import { StatusError } from '../lib/errors.ts'

/** A quote opens; a backslash; a space; or else. */
const TOKEN = /'(?<single>[^']*)'|"|\\(?<escaped>[\s\S])|(?<space>\s+)|(?<plain>[^\s'"\\]+)/y
const IN_QUOTES = /"|\\(?<escaped>[\s\S])|(?<plain>[^"\\]+)/y

/**
 * The words of a command line, with quotes and backslashes as POSIX has them (XCU 2.2). Nothing is expanded, and `|`,
 * `;` or `>` are words as others: no shell runs it.
 * @throws {StatusError} `invalid_argument`
 */
export function shellWords(text: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let at = 0
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) throw new StatusError('invalid_argument', 'has a quote that is not closed, or a \\ at its end')
    at = pattern.lastIndex
    return { token: match[0], ...match.groups } as { token: string; [group: string]: string | undefined }
  }

  const quoted = (): string => {
    for (let result = ''; ; ) {
      const { token, escaped, plain } = take(IN_QUOTES)
      if (token === '"') return result
      result += plain ?? unquoted(escaped!)
    }
  }

  while (at < text.length) {
    const { single, escaped, space, plain } = take(TOKEN)
    if (space !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (escaped === '\n') continue
    else word = (word ?? '') + (plain ?? escaped ?? single ?? quoted())
  }
  return word === undefined ? words : [...words, word]
}

/** In double quotes a backslash is one unless it is before one of these. */
function unquoted(escaped: string): string {
  if (escaped === '\n') return ''
  return '$`"\\'.includes(escaped) ? escaped : `\\${escaped}`
}
