import { StatusError } from '../lib/errors.ts'

/** What is wrong with an archive that is loaded. */
export function badArchive(why: string, cause?: unknown): StatusError {
  return new StatusError('invalid_argument', `Cannot load this archive: ${why}`, { cause })
}
