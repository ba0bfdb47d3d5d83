import { rmSync } from 'node:fs'
import type { Deps } from './deps.ts'

/**
 * Of a container that is down: in memory, and little. An exec that comes too late may just be putting its file there.
 */
export function removeBundle({ paths }: Pick<Deps, 'paths'>, id: string): void {
  rmSync(paths.bundle(id), { recursive: true, force: true, maxRetries: 5, retryDelay: 1 })
}
