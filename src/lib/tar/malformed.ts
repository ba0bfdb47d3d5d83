import { StatusError } from '../errors.ts'

/** What a reader throws for an archive that no tar program would write. */
export function malformed(why: string): StatusError {
  return new StatusError('invalid_argument', `Malformed tar archive: ${why}`)
}
