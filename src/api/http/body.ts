import type { IncomingMessage } from 'node:http'
import { messageOf, StatusError } from '../../lib/errors.ts'
import { parse, type Schema } from '../../lib/schema.ts'
import { httpFault } from './status.ts'

/** Bytes of a JSON body. Archives are streams and have no limit here. */
export const JSON_LIMIT = 1024 * 1024
const JSON_TIMEOUT_MS = 30_000
const LINGER_BYTES = 64 * 1024 * 1024
const LINGER_MS = 1000

/** The body as JSON, checked, whatever its content type says; an empty one is `{}`. @throws {StatusError} `invalid_argument` */
export async function readJson<T>(request: IncomingMessage, schema: Schema<T>): Promise<T> {
  if (Number(request.headers['content-length'] ?? 0) > JSON_LIMIT) throw tooLarge(JSON_LIMIT)
  const timeout = setTimeout(() => request.destroy(new Error('timeout')), JSON_TIMEOUT_MS)
  try {
    const text = await readText(request.iterator({ destroyOnReturn: false }), JSON_LIMIT)
    return parse(schema, text.trim() === '' ? {} : parseJson(text), 'The request')
  } finally {
    clearTimeout(timeout)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new StatusError('invalid_argument', `The request's body is not valid JSON: ${messageOf(error)}`)
  }
}

/** A body that is text, whatever its content type says. @throws {StatusError} `invalid_argument` */
export async function readText(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      length += chunk.length
      if (length > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw new StatusError('cancelled', "The request's body ended early", { cause: error })
  }
  return decodeUtf8(Buffer.concat(chunks))
}

function tooLarge(limit: number): StatusError {
  return httpFault(413, `The request's body is larger than the ${limit} bytes allowed`)
}

/** What is left of a body that nobody wants, so that a client who still sends hears the answer; bounded. */
export async function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>()
  let left = LINGER_BYTES
  const onData = (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) settle()
  }
  const timeout = setTimeout(settle, LINGER_MS)
  request.on('data', onData).once('end', settle).once('close', settle)
  await settled
  clearTimeout(timeout)
  request.off('data', onData)
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new StatusError('invalid_argument', "The request's body is not valid UTF-8")
  }
}
