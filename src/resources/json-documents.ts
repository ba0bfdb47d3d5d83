/** What a document holds, or why it cannot be read. */
export type DocumentContent = { readonly value: unknown } | { readonly unreadable: string }

/** As YAML has them: an end, a beginning or both. */
const SEPARATOR = /^(?:\.\.\.[ \t]*\r?\n---|\.\.\.|---)[ \t]*\r?$/m
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/**
 * The documents of a text that is JSON, one or several with lines of `---` or `...` between them; undefined for any other. YAML
 * says the same of it, in thirty times the time.
 */
export function jsonDocuments(text: string): readonly DocumentContent[] | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined
  const documents: DocumentContent[] = []
  for (const part of text.split(SEPARATOR)) {
    if (part.trim() === '') {
      documents.push({ value: undefined })
      continue
    }
    try {
      const value: unknown = JSON.parse(part)
      const repeated = repeatedKey(part)
      documents.push(repeated === undefined ? { value } : { unreadable: `the key ${repeated} is there twice` })
    } catch {
      return undefined
    }
  }
  return documents
}

/** The first key that an object of a valid JSON text has twice, which JSON.parse says nothing about. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') {
      // Two spellings of one key are one: "a" and "\u0061".
      const key = last.includes('\\') ? JSON.stringify(JSON.parse(last)) : last
      const keys = open.at(-1)!
      if (keys.has(key)) return key.slice(0, 100)
      keys.add(key)
    }
    last = token
  }
  return undefined
}
