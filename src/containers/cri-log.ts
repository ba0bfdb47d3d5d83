/** A record of a log in CRI format: `time stream tags text`. A line that was too long for one is several, all but the last partial. */
export interface LogRecord {
  /** RFC 3339, with ns. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** Tag `P`: the line goes on in this stream's next record. Else `F`: it ends here. */
  readonly partial: boolean
  /** Without the newline. A part of the buffer that was parsed. */
  readonly text: Buffer
}

const SPACE = 0x20

/** What comes between the time and the text, as conmon writes it. */
const COMMON: ReadonlyMap<string, Pick<LogRecord, 'stream' | 'partial'>> = new Map([
  ['stdout F ', { stream: 'stdout', partial: false }],
  ['stdout P ', { stream: 'stdout', partial: true }],
  ['stderr F ', { stream: 'stderr', partial: false }],
  ['stderr P ', { stream: 'stderr', partial: true }],
])
const COMMON_BYTES = 'stdout F '.length

/**
 * Parses one record, without its newline (kubernetes' CRI: pkg/apis/runtime/v1/api.proto, LogPath; further tags after a
 * colon are allowed and ignored).
 *
 * @returns undefined for anything else, such as what a crash left half written
 */
export function parseLogRecord(line: Buffer): LogRecord | undefined {
  const afterTime = line.indexOf(SPACE)
  const text = afterTime + 1 + COMMON_BYTES
  const common = afterTime > 0 ? COMMON.get(line.toString('latin1', afterTime + 1, text)) : undefined
  if (common !== undefined) {
    return { time: line.toString('latin1', 0, afterTime), ...common, text: line.subarray(text) }
  }
  const afterStream = afterTime < 0 ? -1 : line.indexOf(SPACE, afterTime + 1)
  if (afterStream < 0) return undefined
  const afterTags = line.indexOf(SPACE, afterStream + 1)
  const stream = line.toString('latin1', afterTime + 1, afterStream)
  const [tag] = line.toString('latin1', afterStream + 1, afterTags < 0 ? line.length : afterTags).split(':')
  if (afterTime === 0 || (stream !== 'stdout' && stream !== 'stderr') || (tag !== 'P' && tag !== 'F')) return undefined
  return {
    time: line.toString('latin1', 0, afterTime),
    stream,
    partial: tag === 'P',
    text: line.subarray(afterTags < 0 ? line.length : afterTags + 1),
  }
}
