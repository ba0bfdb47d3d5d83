import { StatusError } from '../lib/errors.ts'
import type { RuntimeAttach } from '../runtime/index.ts'
import { OutputQueue } from './output-queue.ts'

/** What waits for a reader before the container does. */
const QUEUE_BYTES = 4 * 1024 * 1024
/** How long the container waits for a reader to take half of that. */
const PATIENCE_MS = 5000

/**
 * What comes out of an attached container. A reader who is slower than the container slows it down, but who stops
 * reading is dropped: the container never stands still for longer than `patienceMs`.
 *
 * Its reader gets `resource_exhausted` when he is dropped.
 */
export function attachedOutput(source: RuntimeAttach, patienceMs = PATIENCE_MS): OutputQueue {
  let late: NodeJS.Timeout | undefined
  const drop = () => {
    const [mebibytes, seconds] = [QUEUE_BYTES / 2 ** 20, patienceMs / 1000]
    const reason = `${mebibytes} MiB of output waited for more than ${seconds} s, and the container with it`
    queue.end(new StatusError('resource_exhausted', `Detached: ${reason}`))
    source[Symbol.dispose]()
  }
  const queue = new OutputQueue(
    {
      pause() {
        source.pause()
        late = setTimeout(drop, patienceMs).unref()
      },
      resume() {
        clearTimeout(late)
        source.resume()
      },
    },
    QUEUE_BYTES,
  )
  source.onOutput((stream, bytes) => queue.push(stream, bytes))
  source.onEnd(() => {
    clearTimeout(late)
    queue.end()
  })
  return queue
}
