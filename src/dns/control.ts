import { renameSync, statSync, watch } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { messageOf } from '../lib/errors.ts'
import { lines } from './lines.ts'
import type { Failures } from './server.ts'

/**
 * How a daemon and the name server's process talk, by a unix socket below the run directory, in lines of JSON: the
 * server greets with its version; to each line that it gets it reads the records file again and answers what came of it.
 *
 * The socket's path is also what keeps the process alive. Whoever binds it anew is the server from then on, and who
 * removes it ends the server: so one is replaced, or left behind by a directory that goes, without being told.
 */
export const controlSocket = (directory: string) => join(directory, 'control.sock')
export const recordsFile = (directory: string) => join(directory, 'records.json')

export interface Greeting {
  readonly version: string
}

/** What a reload came to. */
export type Reloaded = { readonly failures: Failures } | { readonly error: string }

export interface ControlOptions {
  readonly directory: string
  readonly version: string
  readonly reload: () => Promise<Failures>
  /** The path is another's by now, or gone. */
  readonly onLost: () => void
}

/** Resolves when the path is this process's. */
export async function takeControl({ directory, version, reload, onLost }: ControlOptions): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write(line({ version } satisfies Greeting))
    void answer(socket, reload)
  })
  const path = controlSocket(directory)
  const temporary = join(directory, `control.${process.pid}.sock`)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(temporary, resolve)
  })
  const own = statSync(temporary).ino
  renameSync(temporary, path)
  const check = () => {
    if (statSync(path, { throwIfNoEntry: false })?.ino === own) return
    watcher.close()
    onLost()
  }
  const watcher = watch(directory, check)
  watcher.on('error', check)
  check()
}

async function answer(socket: Socket, reload: () => Promise<Failures>): Promise<void> {
  try {
    for await (const _request of lines(socket)) {
      const result: Reloaded = await reload().then(
        (failures) => ({ failures }),
        (error: unknown) => ({ error: messageOf(error) }),
      )
      socket.write(line(result))
    }
  } catch {
    socket.destroy()
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
