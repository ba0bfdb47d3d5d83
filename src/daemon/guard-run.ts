import { existsSync, type FSWatcher, watch } from 'node:fs'
import type { HttpServer } from '../api/http/server.ts'
import { coalesce } from '../lib/coalesce.ts'
import type { Logger } from '../lib/log.ts'
import type { Config } from './config.ts'
import type { Engine } from './engine.ts'

/** Who removes a directory removes one file after the other. */
const SETTLE_MS = 200

interface Guarded {
  readonly config: Config
  readonly engine: Pick<Engine, 'ensureDirectories'>
  readonly server: HttpServer
  readonly log: Logger
}

/**
 * Makes what somebody removes from the run directory again: its directories, and the socket. What was there of
 * containers that run is lost until they are started anew; `system check` tells of it.
 */
export function guardRunDirectory({ config, engine, server, log }: Guarded): Disposable {
  let watcher: FSWatcher | undefined
  let ended = false
  const mend = async () => {
    try {
      await engine.ensureDirectories()
      if (ended) return
      look()
      if (existsSync(config.socket)) return
      log.warn('the socket has been removed; making it again', { socket: config.socket })
      await server.listenUnixAgain(config.socket)
    } catch (error) {
      log.error('the run directory cannot be mended', { run: config.run, error })
    }
  }
  const mending = coalesce(SETTLE_MS, mend)
  /** Anew each time: the directory may be another one. */
  const look = () => {
    watcher?.close()
    watcher = watch(config.run, { persistent: false }, mending.call)
    watcher.on('error', mending.call)
  }
  look()
  return {
    [Symbol.dispose]() {
      ended = true
      mending[Symbol.dispose]()
      watcher?.close()
    },
  }
}
