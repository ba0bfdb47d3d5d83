import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** `path` is relative to /proc/sys: `net/ipv4/ip_forward`. Network sysctls are those of the thread's namespace. */
export function hasSysctl(path: string): boolean {
  return existsSync(`/proc/sys/${path}`)
}

/** Writes only what differs, so that a read-only /proc/sys with the right values will do. */
export function setSysctl(path: string, value: number): void {
  const file = `/proc/sys/${path}`
  if (readFileSync(file, 'utf8').trim() !== String(value)) writeFileSync(file, String(value))
}
