import { StatusError, systemCode } from '../lib/errors.ts'
import { TarParser } from '../lib/tar/parser.ts'
import { displayPath } from '../linux/at-calls.ts'
import { ArchiveWriter, type WriteRequest } from './archive-writer.ts'
import { layerError } from './layer-error.ts'
import { type ReadRequest, readArchive } from './read-archive.ts'

/** Of an archive that is read: what one answer holds, or little more. */
const CHUNK_BYTES = 256 * 1024

interface WriteSession extends Disposable {
  readonly writer: ArchiveWriter
  readonly parser: TarParser
}

/**
 * Archives under way in this Worker, by the numbers that their caller has given them. Each call does a small piece, so that
 * one thread serves many, and whoever is slow holds up nobody.
 */
const reads = new Map<number, AsyncGenerator<Buffer>>()
const writes = new Map<number, WriteSession>()

export function startRead(session: number, root: number, request: ReadRequest): void {
  reads.set(session, readArchive(root, request))
}

/** The next piece; undefined at the end. */
export async function readMore(session: number): Promise<Uint8Array | undefined> {
  const archive = reads.get(session)
  if (archive === undefined) throw lost()
  const pieces: Buffer[] = []
  let length = 0
  try {
    while (length < CHUNK_BYTES) {
      const { done, value } = await archive.next()
      if (done) break
      pieces.push(value)
      length += value.length
    }
  } catch (error) {
    throw archiveError('Cannot read the files', error)
  }
  if (length === 0) return undefined
  // With a memory of its own, so that it can be handed over.
  const bytes = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const piece of pieces) at += piece.copy(bytes, at)
  return bytes
}

export function startWrite(session: number, root: number, request: WriteRequest): void {
  try {
    const writer = new ArchiveWriter(root, request)
    writes.set(session, { writer, parser: new TarParser(writer), [Symbol.dispose]: () => writer[Symbol.dispose]() })
  } catch (error) {
    throw archiveError(`Cannot write to "${request.path.slice(0, 300)}"`, error)
  }
}

/** @param bytes absent: it was all */
export function writeMore(session: number, bytes: Uint8Array | undefined): void {
  const { writer, parser } = writes.get(session) ?? failed()
  try {
    if (bytes !== undefined) parser.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    else {
      parser.finish()
      writer.finish()
    }
  } catch (error) {
    const at = writer.currentPath === '' ? 'the archive' : JSON.stringify(displayPath(writer.currentPath.slice(0, 300)))
    throw archiveError(`Cannot write ${at}`, error)
  }
}

/** Idempotent. */
export async function endSession(session: number): Promise<void> {
  const [read, write] = [reads.get(session), writes.get(session)]
  reads.delete(session)
  writes.delete(session)
  write?.[Symbol.dispose]()
  await read?.return(undefined)
}

/** A root that is read-only, and what is mounted in it, are the container's own; the rest is as for layers. */
function archiveError(doing: string, error: unknown): StatusError {
  const why = { EROFS: 'it is read-only', EBUSY: 'something is mounted there', EXDEV: 'it is on another mount' }[
    systemCode(error) ?? ''
  ]
  if (why !== undefined) return new StatusError('failed_precondition', `${doing}: ${why}`, { cause: error })
  if (error instanceof StatusError && error.code === 'not_found') return error
  return layerError(doing, error)
}

function failed(): never {
  throw lost()
}

function lost(): StatusError {
  return new StatusError('internal', 'The Worker that had this archive has ended')
}
