import { StatusError } from '../../lib/errors.ts'

/** What keeps a container from being made, and is its pod's own to mend; told as the reason that it waits. */
export function configFault(message: string): StatusError {
  return new StatusError('failed_precondition', message, { details: { reason: 'CreateContainerConfigError' } })
}

/** What keeps a volume from being there; in kubelet's words, which name it first. */
export function mountFault(volume: string, message: string): StatusError {
  return new StatusError('failed_precondition', `MountVolume.SetUp failed for volume "${volume}" : ${message}`, {
    details: { reason: 'FailedMount' },
  })
}
