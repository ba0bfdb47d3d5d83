import { StatusError, systemCode } from '../lib/errors.ts'

/** ENOSPC and its like as `resource_exhausted`; anything else as it is. */
export function outOfSpace(error: unknown, what: string): unknown {
  const code = systemCode(error)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new StatusError('resource_exhausted', `${what}: no space left on the disk`, { cause: error })
}
