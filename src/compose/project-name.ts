import { posix } from 'node:path'

/** Of bottles and of services. */
export const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/
export const NAME_RULE = 'use lower-case letters, digits, "_" and "-", beginning with a letter or a digit, at most 63'

/** Of a project. */
export const MAX_SERVICES = 1000

/** What docker compose names a project in that directory; empty if nothing is left of it. */
export function nameOfDirectory(directory: string): string {
  return posix
    .basename(directory)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '')
}
