import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** `path` is relative to /proc/sys: `net/ipv4/ip_forward`. Network sysctls are those of the thread's namespace. */
export function hasSysctl(path: string): boolean {
  return existsSync(`/proc/sys/${path}`)
}

export function getSysctl(path: string): string {
  return readFileSync(`/proc/sys/${path}`, 'utf8').trim()
}

/** Writes only what differs, so that a read-only /proc/sys with the right values will do. */
export function setSysctl(path: string, value: number): void {
  if (getSysctl(path) !== String(value)) writeFileSync(`/proc/sys/${path}`, String(value))
}
