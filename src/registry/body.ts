import type { IncomingMessage } from 'node:http'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import { TimeoutError } from './connection-failure.ts'

/** A body of up to this size is read to its end so that its connection can be used again. */
const DRAIN_BYTES = 64 * 1024
const DRAIN_MS = 1000
const BEGINNING_BYTES = 64 * 1024

/**
 * The bytes of an answer. Fails with the system's error if the connection breaks, or with a TimeoutError if nothing
 * comes for `idleTimeoutMs`; the time that the reader takes does not count. Leaving early ends the connection.
 */
export async function* readBody(
  ctx: Ctx,
  response: IncomingMessage,
  { idleTimeoutMs }: { readonly idleTimeoutMs: number },
): AsyncGenerator<Buffer, void, undefined> {
  let waiting = true
  const idle = setTimeout(() => {
    if (waiting) response.destroy(new TimeoutError(idleTimeoutMs))
  }, idleTimeoutMs)
  try {
    for await (const chunk of response) {
      waiting = false
      throwIfEnded(ctx)
      yield chunk as Buffer
      waiting = true
      idle.refresh()
    }
  } catch (error) {
    throwIfEnded(ctx)
    throw error
  } finally {
    clearTimeout(idle)
    response.destroy()
  }
}

/** All of an answer. @throws {StatusError} `invalid_argument` if it is larger than `maxBytes` */
export async function readAll(
  ctx: Ctx,
  response: IncomingMessage,
  options: { readonly idleTimeoutMs: number; readonly maxBytes: number; readonly what: string },
): Promise<Buffer> {
  const tooLarge = () => new StatusError('invalid_argument', `${options.what} is larger than ${options.maxBytes} bytes`)
  if (Number(response.headers['content-length'] ?? 0) > options.maxBytes) {
    response.destroy()
    throw tooLarge()
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of readBody(ctx, response, options)) {
    size += chunk.length
    if (size > options.maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** As much of an error's text as is of use. */
export async function readBeginning(
  ctx: Ctx,
  response: IncomingMessage,
  options: { readonly idleTimeoutMs: number },
): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of readBody(ctx, response, options)) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= BEGINNING_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, BEGINNING_BYTES)
}

/** Lets go of an answer whose body does not matter; keeps the connection if that costs little. */
export function discard(response: IncomingMessage): void {
  response.on('error', () => {})
  if (Number(response.headers['content-length'] ?? Infinity) > DRAIN_BYTES) {
    response.destroy()
    return
  }
  const timer = setTimeout(() => response.destroy(), DRAIN_MS)
  response.once('close', () => clearTimeout(timer))
  response.resume()
}
