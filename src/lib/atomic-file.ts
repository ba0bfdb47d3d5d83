import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface AtomicFileOptions {
  readonly mode: number
  /** Whether a file that is there may be replaced; otherwise it fails with EEXIST. */
  readonly replace: boolean
}

/**
 * Writes a file so that its path never shows half of it, and is on disk when it resolves. The bytes are first at
 * `<path>.new`, never readable by more than `mode` says; callers must not write one path twice at once.
 */
export async function writeFileAtomically(path: string, content: string, options: AtomicFileOptions): Promise<void> {
  const { mode, replace } = options
  const draft = `${path}.new`
  // What an interrupted writer left may have another mode.
  await unlink(draft).catch(() => {})
  {
    await using file = await open(draft, 'wx', mode)
    await file.writeFile(content)
    await file.sync()
  }
  if (replace) await rename(draft, path)
  else {
    await link(draft, path).finally(() => unlink(draft))
  }
  await using directory = await open(dirname(path))
  await directory.sync()
}
