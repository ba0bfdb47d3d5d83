import type { RuntimeExec } from '../runtime/index.ts'
import { OutputQueue } from './output-queue.ts'

/** Enough to keep a pipe busy; a process whose reader is slower waits, as at any pipe. */
const QUEUE_BYTES = 512 * 1024
/**
 * How long after the process's end its output may stay silent and still count as open: something in the background may
 * hold it. As containerd's shim has it.
 */
const LINGER_MS = 10_000

/** Both outputs of an exec as one, in the order in which they come. */
export function execOutput({ stdout, stderr, exit }: RuntimeExec, lingerMs = LINGER_MS): OutputQueue {
  const sources = [stdout, stderr]
  const queue = new OutputQueue(
    {
      pause() {
        for (const source of sources) source.pause()
      },
      resume() {
        for (const source of sources) source.resume()
      },
    },
    QUEUE_BYTES,
  )
  let open = sources.length
  let linger: NodeJS.Timeout | undefined
  const close = () => {
    if (queue.isFull) linger?.refresh()
    else for (const source of sources) source.destroy()
  }
  const closed = () => {
    open -= 1
    if (open > 0) return
    clearTimeout(linger)
    queue.end()
  }
  for (const [stream, source] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    source.on('data', (bytes: Uint8Array) => {
      linger?.refresh()
      queue.push(stream, bytes)
    })
    source.on('error', () => {})
    // A process that has ended already may have left it at its end.
    if (source.closed) closed()
    else source.once('close', closed)
  }
  const ended = () => {
    if (open > 0) linger = setTimeout(close, lingerMs).unref()
  }
  exit.then(ended, ended)
  return queue
}
