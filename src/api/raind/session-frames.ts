import type { Session } from '../../containers/index.ts'
import { exitFrame, FRAME, frame } from '../../lib/frames.ts'

/**
 * What a session's process writes, as frames; the last one tells the exit code. Reads no faster than it is read. A reader
 * who goes before that hangs up.
 */
export async function* sessionFrames(session: Session): AsyncGenerator<Uint8Array> {
  using _session = session
  let isRead = false
  try {
    for await (const { stream, bytes } of session.output) yield frame(FRAME[stream], bytes)
    isRead = true
  } finally {
    if (!isRead) session.hangUp?.()
  }
  const { exitCode } = await session.exit
  yield exitFrame(exitCode)
}

export interface Collected {
  readonly text: string
  readonly truncated: boolean
}

/** Reads a session to its end, and keeps the first `limit` bytes of each stream. */
export async function collect(session: Session, limit: number): Promise<{ stdout: Collected; stderr: Collected }> {
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const length = { stdout: 0, stderr: 0 }
  for await (const { stream, bytes } of session.output) {
    if (length[stream] < limit) kept[stream].push(Buffer.from(bytes.subarray(0, limit - length[stream])))
    length[stream] += bytes.length
  }
  const collected = (stream: 'stdout' | 'stderr') => ({
    text: Buffer.concat(kept[stream]).toString(),
    truncated: length[stream] > limit,
  })
  return { stdout: collected('stdout'), stderr: collected('stderr') }
}
