import { readdir } from 'node:fs/promises'
import { systemCode } from './errors.ts'

/** What is in a directory; nothing if there is none. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
