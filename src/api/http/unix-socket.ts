import { once } from 'node:events'
import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:net'
import { StatusError, systemCode } from '../../lib/errors.ts'

/** Bytes of a path that connect(2) takes: sun_path less its NUL. */
export const SOCKET_PATH_LIMIT = 107

/**
 * Listens at `path`, for root and the file's group (0660). A socket file that is there is replaced: the caller holds
 * the lock that says nobody serves it. Until the mode is set the umask (022) lets only root connect.
 * @throws {StatusError} `failed_precondition` if something else is at that path
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  await removeStale(path)
  server.listen({ path, backlog: 511 })
  await once(server, 'listening')
  await chmod(path, 0o660)
}

async function removeStale(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket()) {
      throw new StatusError('failed_precondition', `Cannot listen on ${path}: there is a file that is not a socket`)
    }
    await unlink(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
