/** What a document holds, or why it cannot be read. */
export type DocumentContent = { readonly value: unknown } | { readonly unreadable: string }

/** As YAML has them: an end, a beginning or both. */
const SEPARATOR = /^(?:\.\.\.[ \t]*\r?\n---|\.\.\.|---)[ \t]*\r?$/m
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/**
 * The documents of a text that is JSON: one or several, with lines of `---` or `...` between them or with nothing, as
 * `jq` writes them; undefined for any other. YAML says the same of most of it, in thirty times the time.
 */
export function jsonDocuments(text: string): readonly DocumentContent[] | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined
  const documents: DocumentContent[] = []
  for (const part of text.split(SEPARATOR)) {
    if (part.trim() === '') {
      documents.push({ value: undefined })
      continue
    }
    const contents = contentsOf([part]) ?? contentsOf(valuesIn(part))
    if (contents === undefined) return undefined
    documents.push(...contents)
  }
  return documents
}

/** Undefined if one of them is no JSON. */
function contentsOf(parts: readonly string[]): DocumentContent[] | undefined {
  try {
    return parts.map((part) => {
      const value: unknown = JSON.parse(part)
      const repeated = repeatedKey(part)
      return repeated === undefined ? { value } : { unreadable: `the key ${repeated} is there twice` }
    })
  } catch {
    return undefined
  }
}

/** Cut after each `}` and `]` that closes what was open. */
function valuesIn(text: string): string[] {
  const ends: number[] = []
  let depth = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++
    else if ((token === '}' || token === ']') && --depth === 0) ends.push(index + 1)
  }
  const last = text.slice(ends.at(-1) ?? 0).trim() === '' ? [] : [text.length]
  return [...ends, ...last].map((end, index) => text.slice(ends[index - 1] ?? 0, end))
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
