import { StatusError } from '../../lib/errors.ts'

/** A manifest's; a body in JSON has less. */
const LIMIT_BYTES = 8 * 1024 * 1024

/** A body that is text, whatever its content type says. @throws {StatusError} `invalid_argument` */
export async function textBody(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > LIMIT_BYTES) {
      throw new StatusError('invalid_argument', `The request's body is larger than the ${LIMIT_BYTES} bytes allowed`)
    }
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new StatusError('invalid_argument', "The request's body is not valid UTF-8")
  }
}
