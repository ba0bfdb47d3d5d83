import type { IncomingMessage } from 'node:http'
import { backoffMs, delay } from '../lib/backoff.ts'
import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import type { Descriptor } from '../model/image.ts'
import { readBody } from './body.ts'
import { connectionFailure, isTransient } from './connection-failure.ts'
import type { Endpoint } from './endpoint.ts'
import type { Requester, Wanted } from './requester.ts'
import type { Limits } from './types.ts'

/** An answer that holds the blob from the wanted offset on. */
export interface OpenBlob {
  readonly host: string
  readonly response: IncomingMessage
}

/** @throws {StatusError} `unimplemented` if the endpoint has the blob but starts elsewhere than at `offset` */
export async function openBlob(
  ctx: Ctx,
  requester: Requester,
  endpoint: Endpoint,
  { digest, size }: Descriptor,
  offset: number,
): Promise<OpenBlob> {
  const wanted: Wanted = {
    what: `blob ${digest}`,
    path: `blobs/${digest}`,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    statuses: offset === 0 ? [200] : [200, 206, 416],
  }
  const response = await requester.get(ctx, endpoint, wanted, async (answer) => answer)
  const total = totalBytes(response, offset)
  if (total === 'elsewhere') {
    response.destroy()
    throw new StatusError(
      'unimplemented',
      `Registry ${endpoint.host} cannot send blob ${digest} from byte ${offset} on`,
    )
  }
  if (total !== undefined && total !== size) {
    response.destroy()
    throw new StatusError(
      'invalid_argument',
      `Registry ${endpoint.host} has ${total} bytes for blob ${digest}, but the manifest says ${size}`,
    )
  }
  return { host: endpoint.host, response }
}

/** The size of the whole blob, if the answer tells. */
function totalBytes({ statusCode, headers }: IncomingMessage, offset: number): number | undefined | 'elsewhere' {
  if (offset === 0) return headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
  if (statusCode !== 206 || range === null || Number(range[1]) !== offset) return 'elsewhere'
  return range[2] === '*' ? undefined : Number(range[2])
}

export interface Resumable {
  open(offset: number): Promise<OpenBlob>
  readonly first: OpenBlob
  readonly offset: number
}

/**
 * The bytes of a blob up to its size. When a connection breaks another one goes on where it broke, from the start if
 * need be; after `limits.tries` connections that brought nothing it is given up.
 */
export async function* resumingStream(
  ctx: Ctx,
  limits: Limits,
  { digest, size }: Descriptor,
  { open, first, offset }: Resumable,
): AsyncGenerator<Uint8Array, void, undefined> {
  let blob = first
  let position = offset
  let skip = 0
  for (let fruitless = 1; ; fruitless++) {
    let failure: unknown
    try {
      for await (const chunk of readBody(ctx, blob.response, limits)) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length))
        skip -= chunk.length - fresh.length
        if (fresh.length === 0) continue
        position += fresh.length
        if (position > size) throw tooLarge(blob, digest, size)
        fruitless = 0
        yield fresh
      }
    } catch (error) {
      if (!isTransient(error)) throw connectionFailure(blob.host, error)
      failure = error
    }
    throwIfEnded(ctx)
    if (position === size) return
    if (fruitless >= limits.tries) throw brokenOff(blob, digest, position, size, failure)
    ctx.log.debug('download broke off', { host: blob.host, digest, position, size })
    await delay(ctx, backoffMs(limits.backoff, Math.max(1, fruitless)))
    ;({ blob, skip } = await reopen(open, position))
  }
}

/** A server that only sends all of it has the beginning skipped. */
async function reopen(open: Resumable['open'], position: number): Promise<{ blob: OpenBlob; skip: number }> {
  try {
    return { blob: await open(position), skip: 0 }
  } catch (error) {
    if (!hasCode(error, 'unimplemented')) throw error
    return { blob: await open(0), skip: position }
  }
}

function tooLarge({ host }: OpenBlob, digest: string, size: number): StatusError {
  return new StatusError('invalid_argument', `Registry ${host} sends more than the ${size} bytes of blob ${digest}`)
}

function brokenOff({ host }: OpenBlob, digest: string, position: number, size: number, cause: unknown): StatusError {
  return new StatusError(
    'unavailable',
    `The download of blob ${digest} from registry ${host} broke off again and again, at byte ${position} of ${size}`,
    { cause },
  )
}
