import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hierarchy } from './cgroup.ts'

/** What of these a cgroup can limit on this host: names as version 2 has them. */
export function cgroupControllers(hierarchies: readonly Hierarchy[]): ReadonlySet<string> {
  return new Set(
    hierarchies.flatMap(({ version, mountPoint, controllers }) =>
      version === 1 ? controllers : readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').trim().split(/\s+/),
    ),
  )
}
