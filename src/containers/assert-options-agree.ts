import { StatusError } from '../lib/errors.ts'
import type { RestartPolicy } from '../model/restart-policy.ts'
import { isIpcSysctl } from '../model/sysctl.ts'
import { networkMode } from './attachments.ts'
import type { CreateContainer } from './types.ts'

/** Refuses options of which one makes the other impossible. @throws {StatusError} `invalid_argument` */
export function assertOptionsAgree({ hostname, autoRemove, options = {}, networks = [] }: CreateContainer): void {
  assertMayRestart(autoRemove ?? false, options.restart)
  const { pidMode, ipcMode, utsMode, sysctls = {}, shmBytes, init } = options
  const ownIpc = ipcMode === undefined || ipcMode === 'shareable'
  const names = Object.keys(sysctls)
  refuseIf(utsMode !== undefined && hostname !== undefined, 'a host name', 'utsMode', utsMode)
  refuseIf(pidMode !== undefined && init === true, 'an init, which must be process 1,', 'pidMode', pidMode)
  refuseIf(!ownIpc && shmBytes !== undefined, 'a size of /dev/shm', 'ipcMode', ipcMode)
  for (const name of names) {
    refuseIf(!ownIpc && isIpcSysctl(name), `the sysctl ${name}`, 'ipcMode', ipcMode)
    refuseIf(utsMode !== undefined && name === 'kernel.domainname', `the sysctl ${name}`, 'utsMode', utsMode)
    refuseIf(networkMode(networks) === 'host' && name.startsWith('net.'), `the sysctl ${name}`, 'network', 'host')
  }
}

/** @throws {StatusError} `invalid_argument` */
export function assertMayRestart(autoRemove: boolean, restart: RestartPolicy | undefined): void {
  if (!autoRemove || (restart?.name ?? 'no') === 'no') return
  throw new StatusError(
    'invalid_argument',
    `A container that is removed when it ends (autoRemove) cannot be restarted: leave out one of autoRemove and restart "${restart!.name}"`,
  )
}

function refuseIf(fault: boolean, what: string, option: string, value: string | undefined): void {
  if (!fault) return
  throw new StatusError(
    'invalid_argument',
    `Cannot give ${what} to a container with ${option} "${value}": that is not its own; leave out one of the two`,
  )
}
