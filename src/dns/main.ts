/**
 * The name server's own process: `main.ts DIRECTORY VERSION`. It outlives the daemon that starts it, and answers from
 * the last records in the directory until the socket there is no longer its own (control.ts).
 */
import { readFileSync, writeSync } from 'node:fs'
import { messageOf } from '../lib/errors.ts'
import { recordsFile, takeControl } from './control.ts'
import { type Failures, Server } from './server.ts'

async function main([directory = '', version = '']: readonly string[]): Promise<void> {
  const server = new Server()
  let running: Promise<unknown> = Promise.resolve()
  const reload = (): Promise<Failures> => {
    const next = running.then(() => server.apply(JSON.parse(readFileSync(recordsFile(directory), 'utf8'))))
    running = next.catch(() => {})
    return next
  }
  await reload()
  await takeControl({ directory, version, reload, onLost: () => void server.retire().then(() => process.exit()) })
  // To who started it; nobody listens later.
  writeSync(1, 'ready\n')
}

main(process.argv.slice(2)).catch((error: unknown) => {
  writeSync(2, `${new Date().toISOString()} the name server ends: ${messageOf(error)}\n`)
  process.exit(1)
})
