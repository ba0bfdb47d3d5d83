import type { PullProgress } from '../../images/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { messageOf, StatusError } from '../../lib/errors.ts'
import { wireProgress } from './convert.ts'
import { failure } from './errors.ts'

/** A JSON line for each item. The head is sent by then, so a failure is a last line of its own. */
export async function* progressLines(
  ctx: Ctx,
  requestId: string,
  progress: AsyncIterable<PullProgress>,
): AsyncGenerator<string> {
  try {
    for await (const one of progress) yield line(wireProgress(one))
  } catch (thrown) {
    if (ctx.signal.aborted) return
    const error = thrown instanceof StatusError ? thrown : new StatusError('internal', messageOf(thrown))
    if (error.code === 'internal') ctx.log.error('request failed', { error: thrown })
    yield line(failure(error, requestId))
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
