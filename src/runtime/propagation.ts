import { readFileSync } from 'node:fs'

export interface Propagation {
  readonly mountPoint: string
  readonly isShared: boolean
  readonly isSlave: boolean
}

/** How the mount that holds `path` passes mounts on (mount_namespaces(7)). */
export function propagationOf(path: string, mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): Propagation {
  let found: Propagation = { mountPoint: '/', isShared: false, isSlave: false }
  // The last of those mounted at the longest path is on top.
  for (const line of mountinfo.split('\n')) {
    const [fields = ''] = line.split(' - ')
    const [, , , , escaped, , ...optional] = fields.split(' ')
    const mountPoint = escaped?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    if (mountPoint === undefined || !isBelow(path, mountPoint) || mountPoint.length < found.mountPoint.length) continue
    const has = (tag: string) => optional.some((field) => field.startsWith(tag))
    found = { mountPoint, isShared: has('shared:'), isSlave: has('master:') }
  }
  return found
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`)
}
