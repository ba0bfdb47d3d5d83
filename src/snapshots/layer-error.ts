import { StatusError, systemCode, toStatusError } from '../lib/errors.ts'

/** Errors that an archive provokes by what it asks for. */
const ARCHIVE_ERRORS = 'ENAMETOOLONG ELOOP ENOTDIR EISDIR ENOENT EEXIST EINVAL EPERM EMLINK EFBIG E2BIG ERANGE'.split(
  ' ',
)
const SPACE_ERRORS = ['ENOSPC', 'EDQUOT']

/** What is thrown for an error while a layer is written; `doing` is like `Cannot unpack layer sha256:...`. */
export function layerError(doing: string, error: unknown): StatusError {
  if (error instanceof Error && error.name === 'AbortError') {
    return new StatusError('cancelled', 'The call was cancelled')
  }
  const message = `${doing}: ${error instanceof Error ? error.message : error}`
  if (error instanceof StatusError) return new StatusError(error.code, message, { cause: error })
  const code = systemCode(error) ?? ''
  if (SPACE_ERRORS.includes(code)) {
    return new StatusError('resource_exhausted', `${doing}: no space left on the disk`, { cause: error })
  }
  if (ARCHIVE_ERRORS.includes(code)) return new StatusError('invalid_argument', message, { cause: error })
  const known = toStatusError(error)
  return new StatusError(known.code, `${doing}: ${known.message}`, { cause: error })
}
