import { text } from 'node:stream/consumers'
import type { Ctx } from '../lib/ctx.ts'
import { detached } from '../lib/ctx.ts'
import { StatusError, toStatusError } from '../lib/errors.ts'
import type { Bottle } from '../model/bottle.ts'
import type { Deps } from './deps.ts'
import { membersOf, replicasOf } from './members.ts'

const LAST_LINES = 10
const MAX_CHARACTERS = 2000

/** Runs a step of a service; its error names the service, once. */
export async function ofService<T>(service: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const { code, message, details } = toStatusError(error)
    if (details?.['service'] !== undefined) throw error
    throw new StatusError(code, `Service "${service}": ${message}`, { cause: error, details: { ...details, service } })
  }
}

/** The error of a verb, with what the service at fault has written last. To be called before that is taken away. */
export async function withLastLines(ctx: Ctx, deps: Deps, bottle: Bottle, error: unknown): Promise<unknown> {
  if (!(error instanceof StatusError) || typeof error.details?.['service'] !== 'string') return error
  const members = deps.store.read((tx) => replicasOf(membersOf(tx, bottle), error.details!['service'] as string))
  const container = members.at(-1)?.container
  if (container === undefined) return error
  try {
    const log = await deps.containers.readLog(detached(ctx), container.metadata.uid, { tailLines: LAST_LINES })
    const lines = (await text(log)).trim().slice(-MAX_CHARACTERS)
    if (lines === '') return error
    const { code, message, details } = error
    return new StatusError(code, `${message}; the last lines of its log:\n${lines}`, {
      cause: error,
      ...(details && { details }),
    })
  } catch (fault) {
    deps.log.warn('the log of a failed service cannot be read', { bottle: bottle.metadata.name, error: fault })
    return error
  }
}
