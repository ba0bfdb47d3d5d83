import { Socket } from 'node:net'
import { type Duplex, Readable } from 'node:stream'
import { closeFd, pipe } from '../linux/fd.ts'
import { fdStream } from '../linux/fd-stream.ts'
import { openPty, setNonBlocking, setWindowSize } from '../linux/pty.ts'
import { receiveDescriptor } from '../linux/receive-descriptor.ts'
import type { SpawnedProcess, SpawnStdio } from '../linux/spawn.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import type { OciRuntime } from './oci-runtime.ts'
import type { RuntimeExec } from './types.ts'

/** An exec that is prepared: all but what its process is connected to. */
export interface ExecLaunch {
  readonly oci: OciRuntime
  /** A path for a socket, should one be needed. */
  readonly socket: string
  spawn(stdio: readonly SpawnStdio[], options?: readonly string[]): Promise<SpawnedProcess>
}

export type SpawnedExec = { readonly child: SpawnedProcess } & Pick<
  RuntimeExec,
  'stdin' | 'stdout' | 'stderr' | 'resize'
>

const SIGWINCH = 28

/** Starts an exec on a terminal: one stream both ways, and no stderr of the process's own. */
export async function spawnOnTerminal(launch: ExecLaunch, size: TerminalSize | undefined): Promise<SpawnedExec> {
  return launch.oci.name === 'crun' ? await onHandedTerminal(launch, size) : await onRelayedTerminal(launch, size)
}

/** crun makes the terminal, hands us its master, and is not in the way any more. */
async function onHandedTerminal({ socket, spawn }: ExecLaunch, size: TerminalSize | undefined): Promise<SpawnedExec> {
  const errors = pipe()
  using receiver = receiveDescriptor(socket)
  let child: SpawnedProcess
  try {
    child = await spawn(['null', 'null', errors.writeEnd], ['--console-socket', socket])
  } catch (error) {
    closeFd(errors.readEnd)
    throw error
  } finally {
    closeFd(errors.writeEnd)
  }
  const stderr = new Socket({ fd: errors.readEnd, readable: true, writable: false })
  const master = await Promise.race([receiver.received, child.exit.then(() => receiver.take())])
  // The command could not be run: its exit tells, and crun's own message.
  if (master === undefined) return { child, stdout: Readable.from([]), stderr, resize() {} }
  setNonBlocking(master)
  if (size !== undefined) setWindowSize(master, size)
  const terminal = fdStream(master, { halfCloses: false })
  return { child, ...streamsOf(terminal), stderr, resize: (to) => void (terminal.closed || setWindowSize(master, to)) }
}

/** runc hands a terminal only to who cannot learn the exit code: it relays between the process's terminal and ours. */
async function onRelayedTerminal({ spawn }: ExecLaunch, size: TerminalSize | undefined): Promise<SpawnedExec> {
  const { master, slave } = openPty()
  if (size !== undefined) setWindowSize(master, size)
  let child: SpawnedProcess
  try {
    child = await spawn([slave, slave, slave])
  } catch (error) {
    closeFd(master)
    throw error
  } finally {
    closeFd(slave)
  }
  const terminal = fdStream(master, { halfCloses: false })
  return {
    child,
    ...streamsOf(terminal),
    stderr: Readable.from([]),
    resize(to) {
      if (!terminal.closed && setWindowSize(master, to)) child.signal(SIGWINCH)
    },
  }
}

function streamsOf(terminal: Duplex): Pick<RuntimeExec, 'stdin' | 'stdout'> {
  return { stdin: terminal, stdout: terminal }
}
