import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { CliError, usageError } from '../errors.ts'

/** What manifests in a directory are called; a file that is named itself may be called anything. */
const EXTENSIONS = ['.yaml', '.yml', '.json']

export interface ManifestFile {
  readonly name: string
  readonly text: string
}

/** The manifests at these paths, in order: files, directories (in the order of names), or - for stdin. @throws {CliError} */
export async function readManifestFiles(
  paths: readonly string[],
  { recursive, stdin }: { readonly recursive: boolean; readonly stdin: AsyncIterable<Uint8Array | string> },
): Promise<ManifestFile[]> {
  if (paths.filter((path) => path === '-').length > 1) throw usageError('stdin can be read once only: give one "-f -"')
  const files: ManifestFile[] = []
  for (const path of paths) {
    if (/^https?:\/\//.test(path)) {
      throw usageError(`"${path}" is not on this machine`, `Fetch it: curl -fsSL ${path} | raind apply -f -`)
    }
    if (path === '-') files.push({ name: 'standard input', text: decode('standard input', await bytesOf(stdin)) })
    else files.push(...listManifests(path, recursive).map((file) => ({ name: file, text: decode(file, read(file)) })))
  }
  return files
}

function listManifests(path: string, recursive: boolean): string[] {
  if (!attempt(path, () => statSync(path)).isDirectory()) return [path]
  const found = inDirectory(path, recursive)
  if (found.length > 0) return found
  throw new CliError(
    `There is no manifest in ${path}: none of its files ends with ${EXTENSIONS.join(', ')}`,
    recursive ? undefined : 'With -R directories below it are read, too',
  )
}

function inDirectory(directory: string, recursive: boolean): string[] {
  const entries = attempt(directory, () => readdirSync(directory, { withFileTypes: true }))
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return recursive ? inDirectory(path, recursive) : []
      return EXTENSIONS.includes(extname(entry.name)) ? [path] : []
    })
}

function read(file: string): Uint8Array {
  return attempt(file, () => readFileSync(file))
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new CliError(`Cannot read ${path}: ${code === 'ENOENT' ? 'it is not there' : message}`)
  }
}

/** Without a byte order mark: it may stand at the beginning only, and another file may come before. */
function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CliError(`Cannot read ${name}: it is not UTF-8 text`)
  }
}

async function bytesOf(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}
