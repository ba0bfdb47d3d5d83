import type { Session } from '../../containers/index.ts'
import { BufferPool } from '../../lib/buffer-pool.ts'
import { type Ctx, whenEnded } from '../../lib/ctx.ts'
import { messageOf, StatusError } from '../../lib/errors.ts'
import { exitFrame, FRAME, FRAME_HEAD_BYTES, type Frame, FrameReader, frame, INPUT } from '../../lib/frames.ts'
import { type TerminalSize, terminalSize } from '../../model/terminal-size.ts'
import { type Channel, CLOSE } from '../http/web-socket.ts'
import type { StreamsQuery } from './types.ts'

/** How a session is put on a WebSocket. */
export interface Dialect {
  /** Messages for a piece of output: copies of it. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): readonly Message[]
  /** After all output; absent: the end of the connection says enough. */
  readonly exit?: (exitCode: number) => Uint8Array
  /** Whether a size that no terminal can have is an error; else nothing happens. */
  readonly checksSize: boolean
  /** Whether the input can end before the connection. */
  readonly endsInput: boolean
  /** Whether a connection that breaks is the process's loss too; who leaves it alone says so by closing. */
  readonly hangsUp: boolean
  readonly closing: string
}

interface Message {
  readonly bytes: Uint8Array
  /** To be called when the bytes are needed no longer. */
  readonly sent?: () => void
}

const RAW_MESSAGE_BYTES = 32 * 1024
/** A frame with as much output as comes at once. */
const BUFFER_BYTES = FRAME_HEAD_BYTES + 64 * 1024
/** What the channel sends ahead. */
const SPARE_BUFFERS = 8
/** Not worth one. */
const LITTLE_BYTES = 4 * 1024

/** The public Raind's (contract, section 2): output as it is, in messages of at most 32 KiB. */
export const RAW: Dialect = {
  output(_stream, bytes) {
    const count = Math.ceil(bytes.length / RAW_MESSAGE_BYTES)
    const copy = Buffer.from(bytes)
    return Array.from({ length: count }, (_, i) => ({
      bytes: copy.subarray(i * RAW_MESSAGE_BYTES, (i + 1) * RAW_MESSAGE_BYTES),
    }))
  },
  checksSize: false,
  endsInput: false,
  hangsUp: false,
  closing: 'stream closed',
}

/** Our own: frames both ways, the streams apart, and the exit code. */
export function framed({ stdout, stderr }: StreamsQuery): Dialect {
  const isWanted = { stdout: stdout ?? true, stderr: stderr ?? true }
  const buffers = new BufferPool(BUFFER_BYTES, SPARE_BUFFERS)
  return {
    output(stream, bytes) {
      if (!isWanted[stream]) return []
      if (bytes.length < LITTLE_BYTES) return [{ bytes: frame(FRAME[stream], bytes) }]
      const buffer = buffers.take()
      return [{ bytes: frame(FRAME[stream], bytes, buffer), sent: () => buffers.give(buffer) }]
    },
    exit: exitFrame,
    checksSize: true,
    endsInput: true,
    hangsUp: true,
    closing: 'the process has ended',
  }
}

/** Connects a session, if there will be one, with a client, until one of them ends. */
export async function converse(
  ctx: Ctx,
  opening: Session | Promise<Session>,
  channel: Channel,
  dialect: Dialect,
): Promise<void> {
  try {
    using session = await opening
    const refused = takeInput(session, channel, dialect)
    const done = giveOutput(session, channel, dialect)
    done.catch(() => {})
    const end = await Promise.race([done, refused, channel.closed, whenEnded(ctx)])
    if (end instanceof StatusError) throw end
    if (end === CLOSE.broken && dialect.hangsUp) session.hangUp?.()
    channel.close(CLOSE.normal, dialect.closing)
  } catch (error) {
    channel.close(closeCode(error), messageOf(error))
  }
}

function closeCode(error: unknown): number {
  const code = error instanceof StatusError ? error.code : 'internal'
  if (code === 'invalid_argument') return CLOSE.policy
  if (code === 'resource_exhausted') return CLOSE.tryLater
  return code === 'unavailable' ? CLOSE.restart : CLOSE.internal
}

async function giveOutput(session: Session, channel: Channel, dialect: Dialect): Promise<void> {
  for await (const { stream, bytes } of session.output) {
    for (const message of dialect.output(stream, bytes)) await channel.send(message.bytes, message.sent)
  }
  // Who sees the connection end takes the process for ended, and may remove its container next: that is recorded first.
  const { exitCode } = await session.exit
  if (dialect.exit !== undefined) await channel.send(dialect.exit(exitCode))
}

/** Resolves with what is wrong with what the client sends; never, if nothing is. */
function takeInput(session: Session, channel: Channel, dialect: Dialect): Promise<StatusError> {
  const { promise, resolve } = Promise.withResolvers<StatusError>()
  const reader = new FrameReader(INPUT.data)
  session.stdin?.on('error', () => {})
  // A size takes a while to be told: what was typed after it waits for that.
  let resizing: Promise<void> | undefined
  const take = ({ type, payload }: Frame): void => {
    if (resizing !== undefined) resizing = resizing.then(() => take({ type, payload }))
    else if (type === INPUT.data) give(session, channel, payload)
    else if (type === INPUT.end && dialect.endsInput) session.stdin?.end()
    else if (type === INPUT.resize) {
      channel.pause()
      const done = resize(session, payload, dialect).catch(resolve)
      resizing = done
      void done.then(() => {
        resizing = undefined
        channel.resume()
      })
    }
  }
  channel.onMessage((bytes) => {
    try {
      for (const one of reader.push(bytes)) take(one)
    } catch (error) {
      resolve(error as StatusError)
    }
  })
  return promise
}

/** A process that does not read makes its client wait, as at any pipe. */
function give({ stdin }: Session, channel: Channel, bytes: Uint8Array): void {
  if (stdin === undefined || stdin.writableEnded || stdin.write(bytes)) return
  channel.pause()
  const goOn = () => channel.resume()
  stdin.once('drain', goOn).once('close', goOn)
}

async function resize(session: Session, payload: Uint8Array, { checksSize }: Dialect): Promise<void> {
  const size = sizeOf(payload)
  if (size !== undefined) await session.resize(size)
  else if (checksSize) throw new StatusError('invalid_argument', 'A terminal has 1 to 65535 rows and columns')
}

function sizeOf(payload: Uint8Array): TerminalSize | undefined {
  if (payload.length !== 4) return undefined
  const view = Buffer.from(payload)
  try {
    return terminalSize(view.readUInt16BE(0), view.readUInt16BE(2))
  } catch {
    return undefined
  }
}
