import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Keeps compiled code for the next start, which halves its time. Never below /tmp, Node's default: code that root runs
 * must lie where only root can write.
 */
export function useCompileCache(): void {
  const parent = process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache')
  enableCompileCache(join(parent, 'condenser'))
}
