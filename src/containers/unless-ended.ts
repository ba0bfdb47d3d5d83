import { StatusError, toStatusError } from '../lib/errors.ts'
import { assertAlive } from '../model/container.ts'
import type { Deps } from './deps.ts'

/**
 * Does something to a container that runs. What fails because it has ended meanwhile is the caller's to know.
 * @throws {StatusError} `failed_precondition` then; else whatever `work` throws
 */
export async function unlessEnded<T>(deps: Deps, id: string, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (toStatusError(error).code !== 'internal') throw error
    const container = deps.store.read((tx) => tx.getByUid('Container', id))
    if (container === undefined) throw new StatusError('not_found', `No such container: "${id}"`, { cause: error })
    const { name } = container.metadata
    const { status } = container
    assertAlive(name, status, action)
    if (deps.runtime.signal(status.pid!, status.pidStartTime!, 0)) throw error
    throw new StatusError('failed_precondition', `Cannot ${action} container "${name}": it has ended meanwhile`, {
      cause: error,
    })
  }
}
