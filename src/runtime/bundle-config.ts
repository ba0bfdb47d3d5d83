import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../lib/errors.ts'

/** Undefined if it was never written whole: then a bundle has nothing in the kernel. In memory, and read at once. */
function readConfig(
  bundle: string,
): { readonly hooks?: unknown; readonly linux: { readonly cgroupsPath: string } } | undefined {
  try {
    return JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The cgroup that a bundle's config.json names. */
export function cgroupOf(bundle: string): string | undefined {
  return readConfig(bundle)?.linux.cgroupsPath
}

/** Whether the runtime has programs to run at the ends of the container's life. */
export function hasHooks(bundle: string): boolean {
  return readConfig(bundle)?.hooks !== undefined
}
