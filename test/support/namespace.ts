import { execFileSync, spawnSync } from 'node:child_process'

const MARK = 'CONDENSER_TEST_NAMESPACES'
/** No test file takes as long: one whose event loop never empties must not hold up all others. */
const LIMIT_MS = 40 * 60_000

/**
 * Runs a test file in network and mount namespaces of its own: called first in the file, it starts the file again
 * inside them, passes its output and exit code on and never returns. Inside, `lo` is up and mounts are private.
 */
export function runInOwnNamespaces(file: string): void {
  if (process.env[MARK] === file) {
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
    // What is no test, such as the torture, takes as long as it is told to.
    if (file.endsWith('.test.ts')) setTimeout(giveUp, LIMIT_MS, file).unref()
    return
  }
  const unshare = [
    '--mount',
    '--net',
    '--propagation',
    'private',
    process.execPath,
    ...process.execArgv,
    file,
    ...process.argv.slice(2),
  ]
  const { status, error } = spawnSync('unshare', unshare, {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: file },
  })
  if (error !== undefined) throw error
  process.exit(status ?? 1)
}

function giveUp(file: string): void {
  console.error(`${file} has not ended; what keeps it: ${process.getActiveResourcesInfo().join(', ')}`)
  process.exit(1)
}
