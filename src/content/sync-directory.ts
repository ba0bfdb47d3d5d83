import { open } from 'node:fs/promises'

/** The names in `path` are on disk when it resolves. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path)
  await directory.sync()
}
