import type { ManifestFile } from './manifest-files.ts'

/** Ends a document, and lets the next one begin with or without a marker or directives of its own (YAML 1.2, 9.2). */
const END = '\n...\n'

/** One text of all documents. */
export function manifestBody(files: readonly ManifestFile[]): string {
  return files.map(({ text }) => text).join(END)
}

/** `document 5` and, of a fault of YAML, the line after it. */
const PLACE = /\bdocument (\d+)(?:((?:(?!\bdocument \d).)*?\bat line )(\d+))?/g

/** In an error each `document 5` of that text is told as `b.yaml, document 2`, and a line as that of the file. */
export async function inFiles(message: string, files: readonly ManifestFile[]): Promise<string> {
  if (!/\bdocument \d/.test(message)) return message
  const { parseAllDocuments } = await import('yaml')
  // Keys are the daemon's concern, and to compare each with all takes long.
  const parsed = parseAllDocuments(manifestBody(files), { version: '1.1', uniqueKeys: false })
  let end = 0
  const ends = files.map(({ text }) => (end += text.length + END.length))
  const documents = Array.isArray(parsed) ? parsed : []
  const fileAt = documents.map(({ range }) => ends.findIndex((fileEnd) => range[0] < fileEnd))
  const linesBefore = (index: number) =>
    manifestBody([...files.slice(0, index), { name: '', text: '' }]).split('\n').length - 1
  return message.replaceAll(PLACE, (words, number: string, between?: string, line?: string) => {
    const index = fileAt[Number(number) - 1]
    if (index === undefined || index < 0) return words
    const place = `${files[index]!.name}, document ${Number(number) - fileAt.indexOf(index)}`
    return between === undefined ? place : `${place}${between}${Number(line) - linesBefore(index)}`
  })
}
