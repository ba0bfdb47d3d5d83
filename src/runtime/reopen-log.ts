import { constants, statSync, watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StatusError } from '../lib/errors.ts'

const TIMEOUT_MS = 5000

/**
 * Has conmon open its log file anew, and resolves when the new file is there.
 *
 * conmon parses a second message in one read as the first one again: the caller sends one at a time.
 */
export async function reopenLog(bundle: string, logFile: string): Promise<void> {
  using watcher = watching(logFile)
  const ctl = await open(join(bundle, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    await ctl.write('2 0 0\n')
  } finally {
    await ctl.close()
  }
  await watcher.appeared
}

function watching(file: string): Disposable & { readonly appeared: Promise<void> } {
  const before = inodeOf(file)
  const { promise, resolve } = Promise.withResolvers<void>()
  const timeout = new AbortController()
  const watcher = watch(dirname(file), (event, name) => {
    if (event !== 'rename' || name !== basename(file)) return
    // The event can still be that of the caller's renaming.
    const now = inodeOf(file)
    if (now !== undefined && now !== before) resolve()
  })
  const late = sleep(TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
    throw new StatusError('unavailable', `conmon has not opened ${file} anew within ${TIMEOUT_MS / 1000} s`)
  })
  const appeared = Promise.race([promise, late])
  // Nobody waits for it if conmon could not be told.
  appeared.catch(() => {})
  return {
    appeared,
    [Symbol.dispose]() {
      timeout.abort()
      watcher.close()
    },
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
}
