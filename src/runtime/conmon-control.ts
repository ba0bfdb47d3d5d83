import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unreadBytes } from '../linux/fd.ts'

/** conmon reads at once. */
const LOOK_AGAIN_MS = 1
const LOOKS = 1000

/**
 * Writes a message to a conmon's control FIFO, and waits until conmon has read it: of two messages in one read, it takes
 * the first one twice. So the caller sends one at a time. @throws ENXIO or ENOENT if there is no conmon (any more)
 */
export async function tellConmon(bundle: string, message: string): Promise<void> {
  const fifo = await open(join(bundle, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    await fifo.write(message)
    await readByPeer(fifo)
  } finally {
    await fifo.close()
  }
}

/** A FIFO has no event for this. */
async function readByPeer({ fd }: FileHandle): Promise<void> {
  for (let looks = 0; looks < LOOKS && unreadBytes(fd) > 0; looks++) await sleep(LOOK_AGAIN_MS)
}
