import { StatusError } from '../lib/errors.ts'

/** What is separate in each IPC namespace (ipc_namespaces(7)). */
const IPC = new Set(
  'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced'.split(' ').map((name) => `kernel.${name}`),
)
const NAME = /^[a-z0-9_]+(?:\.[a-zA-Z0-9_-]+)+$/

/** Whether a setting belongs to a container's IPC namespace. */
export function isIpcSysctl(name: string): boolean {
  return IPC.has(name) || name.startsWith('fs.mqueue.')
}

/** A name may have slashes instead of dots (sysctl.d(5)). */
export function dottedSysctl(name: string): string {
  return name.includes('.') ? name : name.replaceAll('/', '.')
}

/** Only settings that a container has for itself may be made. @throws {StatusError} `invalid_argument` */
export function validateSysctls(sysctls: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    if (!NAME.test(name)) throw invalidSysctl(name, 'want a name such as net.core.somaxconn')
    if (/[\r\n]/.test(value)) throw invalidSysctl(name, 'the value must be one line')
    if (isIpcSysctl(name) || name.startsWith('net.') || name === 'kernel.domainname') continue
    throw invalidSysctl(name, 'it is not separate for each container and would change the host; set it there')
  }
}

function invalidSysctl(name: string, problem: string): StatusError {
  return new StatusError('invalid_argument', `Invalid sysctl "${name.slice(0, 100)}": ${problem}`)
}
