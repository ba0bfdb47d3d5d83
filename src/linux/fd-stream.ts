import { Duplex } from 'node:stream'
import { closeFd } from './fd.ts'
import { errno, koffi, libc, SysError } from './libc.ts'

const native = {
  read: libc('int64_t read(int, void*, size_t)'),
  write: libc('int64_t write(int, const void*, size_t)'),
  shutdown: libc('int shutdown(int, int)'),
}

const EIO = 5
const EAGAIN = 11
const EPIPE = 32
const ECONNRESET = 104
const SHUT_WR = 1

/** What one read may take: more than conmon's packets, a pty's buffer, or a pipe's page. */
const READ_BYTES = 16 * 1024
const SLAB_BYTES = 256 * 1024
/** Reads before other events get their turn. */
const READS_AT_ONCE = 64
/** What a turn finds of a peer that is not waiting for us yet, but will soon have more; and how long it is left alone. */
const FLOOD_BYTES = 8 * 1024
const FULL_BYTES = 40 * 1024
const GATHER_MS = 1
/** Chunks that are read ahead. */
const HIGH_WATER_CHUNKS = 64

export interface FdStreamOptions {
  /** Whether ending the writable side is told to the peer, as shutdown(2) does it; a terminal has no such thing. */
  readonly halfCloses: boolean
  /** What one write may take, of a peer that reads packets and cuts longer ones off; as it comes, if absent. */
  readonly packetBytes?: number
  /**
   * Takes each chunk, in memory that is used again: there is no `data` then, and `resume` begins to read. For much that
   * is copied anyhow.
   */
  readonly take?: (chunk: Buffer) => void
}

/**
 * A stream over a descriptor that Node has no stream for: a SEQPACKET socket, the master of a pseudo-terminal. The
 * descriptor must be non-blocking, and belongs to the stream. Each chunk is what one read gave: a packet, of a socket
 * that has such. A hang-up is an end, not an error, and what is written after it is dropped.
 */
export function fdStream(fd: number, options: FdStreamOptions): Duplex {
  return new FdStream(fd, options)
}

class FdStream extends Duplex {
  readonly #fd: number
  readonly #halfCloses: boolean
  readonly #packetBytes: number
  readonly #poll: ReturnType<typeof koffi.node.poll>
  readonly #take: FdStreamOptions['take']
  #slab = Buffer.alloc(0)
  #wantsRead = false
  #pending: { bytes: Buffer; done: (error?: Error | null) => void } | undefined
  #turnComes = false
  #gathering: NodeJS.Timeout | undefined

  constructor(fd: number, { halfCloses, packetBytes, take }: FdStreamOptions) {
    super({ readableObjectMode: true, readableHighWaterMark: HIGH_WATER_CHUNKS, allowHalfOpen: false })
    this.#fd = fd
    this.#halfCloses = halfCloses
    this.#packetBytes = packetBytes ?? Number.POSITIVE_INFINITY
    this.#take = take
    this.#poll = koffi.node.poll(fd, { readable: true }, () => {})
    this.#poll.stop()
  }

  override _read(): void {
    this.#wantsRead = true
    this.#watch()
  }

  override pause(): this {
    if (this.#take !== undefined) this.#wantsRead = false
    return super.pause()
  }

  override resume(): this {
    if (this.#take !== undefined && !this.readableEnded) this._read()
    return super.resume()
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#pending = { bytes, done }
    this.#flush()
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#halfCloses) native.shutdown(this.#fd, SHUT_WR)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#gathering)
    this.#poll.stop()
    this.#poll.close()
    this.#wantsRead = false
    // Not while libuv may still look at it in this turn of its loop.
    setImmediate(() => closeFd(this.#fd))
    done(error)
  }

  /** Polls for what is wanted now. */
  #watch(): void {
    if (this.#turnComes || this.destroyed) return
    this.#poll.stop()
    const interest = {
      readable: this.#wantsRead && this.#gathering === undefined,
      writable: this.#pending !== undefined,
    }
    if (!interest.readable && !interest.writable) return
    this.#poll.start(interest, () => {
      this.#poll.stop()
      this.#turnComes = true
      // A koffi callback drains no microtasks and swallows exceptions: go on from the event loop.
      setImmediate(() => this.#turn())
    })
  }

  #turn(): void {
    this.#turnComes = false
    if (this.destroyed) return
    if (this.#wantsRead && this.#gathering === undefined && isHalfAFlood(this.#fill())) this.#gather()
    if (this.#pending !== undefined) this.#flush()
    this.#watch()
  }

  #gather(): void {
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined
      if (!this.#turnComes) this.#turn()
    }, GATHER_MS)
  }

  /** Reads what is there: so many bytes. */
  #fill(): number {
    let bytes = 0
    for (let reads = 0; reads < READS_AT_ONCE && this.#wantsRead; reads++) {
      if (this.#slab.length < READ_BYTES) this.#slab = Buffer.allocUnsafeSlow(this.#take ? READ_BYTES : SLAB_BYTES)
      const count = Number(native.read(this.#fd, this.#slab, READ_BYTES))
      if (count < 0 && errno() === EAGAIN) return bytes
      if (count < 0 && errno() !== EIO && errno() !== ECONNRESET) {
        this.destroy(new SysError(`read descriptor ${this.#fd}`, errno()))
        return bytes
      }
      if (count <= 0) {
        this.#wantsRead = false
        this.push(null)
        return bytes
      }
      const chunk = this.#slab.subarray(0, count)
      bytes += count
      if (this.#take !== undefined) {
        this.#take(chunk)
        continue
      }
      this.#slab = this.#slab.subarray(count)
      this.#wantsRead = this.push(chunk)
    }
    return bytes
  }

  #flush(): void {
    const { bytes, done } = this.#pending!
    const length = Math.min(bytes.length, this.#packetBytes)
    const count = length === 0 ? 0 : Number(native.write(this.#fd, bytes, length))
    const error = count < 0 ? errno() : 0
    if (count === bytes.length || error === EPIPE || error === EIO || error === ECONNRESET) {
      this.#pending = undefined
      done()
      return
    }
    if (count < 0 && error !== EAGAIN) {
      this.#pending = undefined
      done(new SysError(`write to descriptor ${this.#fd}`, error))
      return
    }
    if (count > 0) this.#pending = { bytes: bytes.subarray(count), done }
    this.#watch()
  }
}

/**
 * Whether it is worth while to wait for more: of a peer that writes much, but not yet so much that it may be waiting for
 * us. A Unix socket takes some 100 KB, and its writer then sleeps until most of that has been read.
 */
function isHalfAFlood(bytes: number): boolean {
  return bytes >= FLOOD_BYTES && bytes < FULL_BYTES
}
