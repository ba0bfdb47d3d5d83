import type { Ctx } from '../../lib/ctx.ts'
import { messageOf, StatusError } from '../../lib/errors.ts'
import { failure } from './errors.ts'

/** A JSON line for each item. The head is sent by then, so a failure is a last line of its own. */
export async function* jsonLines<T>(
  ctx: Ctx,
  requestId: string,
  items: AsyncIterable<T>,
  toWire: (item: T) => unknown,
): AsyncGenerator<string> {
  try {
    for await (const item of items) yield line(toWire(item))
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
