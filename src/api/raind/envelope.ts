import { json, type Reply } from '../http/reply.ts'

/** The same, of data that is text already. */
export function successText(status: 200 | 201, message: string, data: string): Reply {
  const body = `{"status":"success","message":${JSON.stringify(message)},"data":${data}}\n`
  return { status, headers: { 'content-type': 'application/json' }, body }
}

/** The answer of a verb or a read that went well. `data` absent: the key is left out; `null` is sent. */
export function success(status: 200 | 201, message: string, data?: unknown): Reply {
  return json(status, { status: 'success', message, data })
}
