import type { ManifestFile } from './manifest-files.ts'

/** Ends a document, and lets the next one begin with or without a marker or directives of its own (YAML 1.2, 9.2). */
const END = '\n...\n'

/** One text of all documents. */
export function manifestBody(files: readonly ManifestFile[]): string {
  return files.map(({ text }) => text).join(END)
}

/** An error's `document 5` in that text is told as `b.yaml, document 2`; what is wrong with YAML, at its line in the file. */
export async function inFiles(message: string, files: readonly ManifestFile[]): Promise<string> {
  const [words, number] = /\bdocument (\d+)/.exec(message) ?? []
  if (words === undefined) return message
  const { parseAllDocuments } = await import('yaml')
  const parse = (text: string) => {
    const documents = parseAllDocuments(text, { version: '1.1', strict: true })
    return Array.isArray(documents) ? documents : []
  }
  let end = 0
  const ends = files.map(({ text }) => (end += text.length + END.length))
  const fileAt = parse(manifestBody(files)).map(({ range }) => ends.findIndex((fileEnd) => range[0] < fileEnd))
  const index = fileAt[Number(number) - 1]
  if (index === undefined) return message
  const { name, text } = files[index]!
  const [wrong] = parse(text).flatMap(({ errors }) => errors)
  if (wrong !== undefined) return `${name}: ${wrong.message.trim()}`
  const within = Number(number) - fileAt.indexOf(index)
  return message.replace(words, `${name}, document ${within}`)
}
