import { statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StatusError } from '../lib/errors.ts'
import { tellConmon } from './conmon-control.ts'

const TIMEOUT_MS = 5000

/**
 * Has conmon open its log file anew, and resolves when the new file is there. The caller sends one message at a time.
 */
export async function reopenLog(bundle: string, logFile: string): Promise<void> {
  using watcher = watching(logFile)
  await tellConmon(bundle, '2 0 0\n')
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
