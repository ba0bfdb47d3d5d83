import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../lib/errors.ts'

/** The cgroup that a bundle's config.json names; undefined if that was never written whole: then there is none. */
export function cgroupOf(bundle: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')).linux.cgroupsPath
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
