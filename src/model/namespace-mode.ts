import { StatusError } from '../lib/errors.ts'
import type { ContainerOptions, NamespaceMode } from './container.ts'
import { isIpcSysctl } from './sysctl.ts'

export const NAMESPACE_KINDS = ['pid', 'ipc', 'uts'] as const
export type NamespaceKind = (typeof NAMESPACE_KINDS)[number]

const JOIN = 'container:'

/**
 * Parses `host`, `private`, `container:REF` and, for ipc, `shareable`; undefined for `private`.
 * @throws {StatusError} `invalid_argument`
 */
export function parseNamespaceMode(kind: NamespaceKind, text: string): NamespaceMode | undefined {
  if (text === '' || text === 'private') return undefined
  if (text === 'host' || (text === 'shareable' && kind === 'ipc')) return text
  if (text.startsWith(JOIN) && text.length > JOIN.length) return text as NamespaceMode
  const known = ['host', 'private', ...(kind === 'ipc' ? ['shareable'] : []), 'container:NAME']
  throw new StatusError(
    'invalid_argument',
    `Invalid ${kind} mode "${text.slice(0, 100)}": known are ${known.join(', ')}`,
  )
}

/** The container whose namespace is joined, if any. */
export function joinedContainer(mode: NamespaceMode | undefined): string | undefined {
  return mode?.startsWith(JOIN) ? mode.slice(JOIN.length) : undefined
}

export function joining(containerId: string): NamespaceMode {
  return `container:${containerId}`
}

/** What is asked of a container that bears on its namespaces. */
interface NamespaceOptions {
  readonly hostname: string | undefined
  readonly networkMode: string | undefined
  readonly options: ContainerOptions
}

/** Refuses what would change a namespace that is not the container's own. @throws {StatusError} `invalid_argument` */
export function assertNamespacesAgree({ hostname, networkMode, options }: NamespaceOptions): void {
  const { pidMode, ipcMode, utsMode, sysctls = {}, shmBytes, init } = options
  const ownIpc = ipcMode === undefined || ipcMode === 'shareable'
  refuseIf(utsMode !== undefined && hostname !== undefined, 'a host name', 'utsMode', utsMode)
  refuseIf(pidMode !== undefined && init === true, 'an init, which must be process 1,', 'pidMode', pidMode)
  refuseIf(!ownIpc && shmBytes !== undefined, 'a size of /dev/shm', 'ipcMode', ipcMode)
  for (const name of Object.keys(sysctls)) {
    refuseIf(!ownIpc && isIpcSysctl(name), `the sysctl ${name}`, 'ipcMode', ipcMode)
    refuseIf(utsMode !== undefined && name === 'kernel.domainname', `the sysctl ${name}`, 'utsMode', utsMode)
    refuseIf(networkMode === 'host' && name.startsWith('net.'), `the sysctl ${name}`, 'network', 'host')
  }
}

function refuseIf(fault: boolean, what: string, option: string, value: string | undefined): void {
  if (!fault) return
  throw new StatusError(
    'invalid_argument',
    `Cannot give ${what} to a container with ${option} "${value}": that is not its own; leave out one of the two`,
  )
}
