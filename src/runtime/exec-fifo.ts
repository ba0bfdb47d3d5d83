import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../lib/errors.ts'

/**
 * What `crun start` does for a container without poststart hooks, without the process: the container's init waits for
 * a byte on this fifo, and its state is `running` once the fifo is gone (libcrun_status_write_exec_fifo).
 * False if nobody waits there.
 */
export function releaseByFifo(stateDir: string): boolean {
  const path = join(stateDir, 'exec.fifo')
  let fd: number
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENXIO' || systemCode(error) === 'ENOENT') return false
    throw error
  }
  try {
    unlinkSync(path)
    writeSync(fd, Buffer.alloc(1))
    return true
  } finally {
    closeSync(fd)
  }
}
