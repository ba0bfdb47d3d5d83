import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../lib/errors.ts'

/** The cgroup that a bundle's config.json names; undefined if that was never written whole: then there is none. */
export async function cgroupOf(bundle: string): Promise<string | undefined> {
  try {
    return JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')).linux.cgroupsPath
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
