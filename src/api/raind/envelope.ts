import { json, type Reply, stream } from '../http/reply.ts'

/** The same, of data that is text already. */
export function successText(status: 200 | 201, message: string, data: string): Reply {
  const body = `{"status":"success","message":${JSON.stringify(message)},"data":${data}}\n`
  return { status, headers: { 'content-type': 'application/json' }, body }
}

/** The same, of data that is text and comes in parts. */
export function successParts(message: string, parts: AsyncIterable<string>): Reply {
  return stream('application/json', enveloped(message, parts))
}

async function* enveloped(message: string, parts: AsyncIterable<string>): AsyncGenerator<string> {
  yield `{"status":"success","message":${JSON.stringify(message)},"data":`
  yield* parts
  yield '}\n'
}

/** The answer of a verb or a read that went well. `data` absent: the key is left out; `null` is sent. */
export function success(status: 200 | 201, message: string, data?: unknown): Reply {
  return json(status, { status: 'success', message, data })
}
