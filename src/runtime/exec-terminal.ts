import type { Duplex } from 'node:stream'
import { fdStream } from '../linux/fd-stream.ts'
import { setNonBlocking, setWindowSize } from '../linux/pty.ts'
import type { DescriptorReceiver } from '../linux/receive-descriptor.ts'
import type { SpawnedProcess } from '../linux/spawn.ts'
import type { TerminalSize } from '../model/terminal-size.ts'

/** The master of a process's terminal. */
export interface ExecTerminal {
  /** Both ways; its end is the hang-up. */
  readonly stream: Duplex
  resize(size: TerminalSize): void
}

/** Takes the terminal that a runtime hands over (`--console-socket`); undefined if it ends without one. */
export async function receiveTerminal(
  receiver: DescriptorReceiver,
  runtime: SpawnedProcess,
  size: TerminalSize | undefined,
): Promise<ExecTerminal | undefined> {
  const master = await Promise.race([receiver.received, runtime.exit.then(() => receiver.take())])
  if (master === undefined) return undefined
  setNonBlocking(master)
  if (size !== undefined) setWindowSize(master, size)
  const stream = fdStream(master, { halfCloses: false })
  return {
    stream,
    resize(to) {
      if (!stream.destroyed) setWindowSize(master, to)
    },
  }
}
