import { StatusError } from '../lib/errors.ts'
import { assertNamespacesAgree } from '../model/namespace-mode.ts'
import type { RestartPolicy } from '../model/restart-policy.ts'
import { networkMode } from './attachments.ts'
import type { CreateContainer } from './types.ts'

/** Refuses options of which one makes the other impossible. @throws {StatusError} `invalid_argument` */
export function assertOptionsAgree({ hostname, autoRemove, options = {}, networks = [] }: CreateContainer): void {
  assertMayRestart(autoRemove ?? false, options.restart)
  assertNamespacesAgree({ hostname, options, networkMode: networkMode(networks) })
}

/** @throws {StatusError} `invalid_argument` */
export function assertMayRestart(autoRemove: boolean, restart: RestartPolicy | undefined): void {
  if (!autoRemove || (restart?.name ?? 'no') === 'no') return
  throw new StatusError(
    'invalid_argument',
    `A container that is removed when it ends (autoRemove) cannot be restarted: leave out one of autoRemove and restart "${restart!.name}"`,
  )
}
