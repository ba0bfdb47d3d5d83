import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import type { LogRecord } from './cri-log.ts'
import { type LogSpan, openLogSpan, type PlacedRecord, recordsBackwards, recordsForwards } from './log-span.ts'

type Stream = LogRecord['stream']

/** The text of a line that has not ended yet, and where its last record was. */
interface OpenLine {
  readonly texts: Buffer[]
  bytes: number
  position: number
}

interface Tail {
  /** Where to begin reading: the earliest record of a wanted line. */
  readonly from: number
  /** The earliest end of a wanted line: lines that end before it are not wanted. */
  readonly firstEnd: number
}

/** How far before the last wanted line's end its beginning is looked for. */
const LOOK_BACK_BYTES = 256 * 1024
/** An endless line is handed on in parts of this size. */
const MAX_LINE_BYTES = 256 * 1024
const NEWLINE = Buffer.from('\n')

/**
 * The last `tailLines` lines (Infinity: all) of a container's log, as the container wrote them: the two streams by turns
 * as whole lines, a last line without a newline as it stands. Reads what is there at the call, over rotated files.
 *
 * @param file the current log, in CRI format; its rotated files are FILE.1, FILE.2 ...
 */
export async function* readLogTail(
  ctx: Ctx,
  file: string,
  { tailLines }: { tailLines: number },
): AsyncGenerator<Uint8Array> {
  await using span = await openLogSpan(file)
  const { from, firstEnd } = await findTail(ctx, span, tailLines)
  const open = new Map<Stream, OpenLine>()
  for await (const records of recordsForwards(span, from)) {
    throwIfEnded(ctx)
    const text = Buffer.concat(records.flatMap((record) => takeRecord(open, record, firstEnd)))
    if (text.length > 0) yield text
  }
  const unfinished = [...open.values()].filter(({ position }) => position >= firstEnd)
  const text = Buffer.concat(unfinished.toSorted((a, b) => a.position - b.position).flatMap(({ texts }) => texts))
  if (text.length > 0) yield text
}

/** Adds a record to its stream's line, and gives out what is complete and wanted. */
function takeRecord(open: Map<Stream, OpenLine>, record: PlacedRecord, firstEnd: number): Buffer[] {
  const { stream, text, partial, position } = record
  const line = open.get(stream) ?? { texts: [], bytes: 0, position }
  line.texts.push(text)
  line.bytes += text.length
  line.position = position
  if (partial && (line.bytes < MAX_LINE_BYTES || position < firstEnd)) {
    open.set(stream, line)
    return []
  }
  open.delete(stream)
  if (position < firstEnd) return []
  return partial ? line.texts : [...line.texts, NEWLINE]
}

/** Where the last `tailLines` lines begin. Reads backwards from the end, no further than needed. */
export async function findTail(ctx: Ctx, span: LogSpan, tailLines: number): Promise<Tail> {
  if (tailLines === Number.POSITIVE_INFINITY) return { from: 0, firstEnd: 0 }
  let lines = 0
  let from = span.size
  let firstEnd = span.size
  if (tailLines <= 0) return { from, firstEnd }
  const seen = new Set<Stream>()
  /** Streams whose earliest wanted line may have begun in an earlier record. */
  const begun = new Set<Stream>()
  for await (const { stream, partial, position } of recordsBackwards(span)) {
    throwIfEnded(ctx)
    const endsLine = !partial || !seen.has(stream)
    seen.add(stream)
    if (endsLine && lines < tailLines) {
      lines += 1
      from = firstEnd = position
      begun.add(stream)
    } else if (endsLine) {
      begun.delete(stream)
    } else if (begun.has(stream)) {
      from = position
    }
    if (lines === tailLines && (begun.size === 0 || firstEnd - position > LOOK_BACK_BYTES)) break
  }
  return { from, firstEnd }
}
