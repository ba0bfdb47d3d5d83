import type { LogPiece } from '../../containers/index.ts'
import { FRAME, frame } from '../../lib/frames.ts'

export interface LogStreamOptions {
  readonly timestamps: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Frames that tell the streams apart, instead of plain text. */
  readonly framed: boolean
}

/** A log as a client wants it, a block of pieces at a time. */
export async function* logStream(
  blocks: AsyncIterable<readonly LogPiece[]>,
  { timestamps, framed, ...isWanted }: LogStreamOptions,
): AsyncGenerator<Uint8Array> {
  for await (const pieces of blocks) {
    const parts = pieces.flatMap(({ time, stream, startsLine, bytes }) => {
      if (!isWanted[stream]) return []
      const text = timestamps && startsLine ? Buffer.concat([Buffer.from(`${time} `), bytes]) : bytes
      return framed ? [frame(FRAME[stream], text)] : [text]
    })
    if (parts.length > 0) yield parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }
}
