import { constants } from 'node:fs'
import type { Ctx } from '../lib/ctx.ts'
import { silentLogger } from '../lib/log.ts'
import { AT_FDCWD, bytePath, check, close, O_PATH, openat } from '../linux/at-calls.ts'
import type { WriteRequest } from './archive-writer.ts'
import type { ViewInput } from './container-view.ts'
import type { PathStat } from './find-node.ts'
import type { ReadRequest } from './read-archive.ts'
import { WorkerPool } from './worker-pool.ts'
import type { WorkerData } from './worker-protocol.ts'

/**
 * Copies files out of root filesystems and into them, as tar streams, off the main thread. A root is an open descriptor,
 * which the caller closes afterwards; nothing is read or written outside of it. Streams go no faster than who is at
 * their other end, and hold one piece of 256 KiB.
 */
export interface Archives extends AsyncDisposable {
  /** An O_PATH descriptor of a directory of the host. @throws {SysError} */
  openRoot(path: string): number
  closeRoot(fd: number): void
  /** The root of a container that does not run; see container-view.ts. */
  openView(ctx: Ctx, input: ViewInput): Promise<number>
  /** @throws {StatusError} `not_found`, `invalid_argument` */
  stat(ctx: Ctx, root: number, path: string, follow: boolean): Promise<PathStat>
  /** @throws {StatusError} `not_found`, `invalid_argument`, both before the first piece */
  read(ctx: Ctx, root: number, request: ReadRequest): AsyncGenerator<Uint8Array, void, undefined>
  /**
   * Of a failure what was written before stays, but no file that is not whole.
   * @throws {StatusError} `not_found`, `invalid_argument`, `conflict`, `failed_precondition` (read-only),
   *   `resource_exhausted` (no space)
   */
  write(ctx: Ctx, root: number, request: WriteRequest, tar: AsyncIterable<Uint8Array>): Promise<void>
}

const PIECE_BYTES = 256 * 1024

interface ArchivesOptions {
  readonly entry: URL
  readonly data: WorkerData
  readonly idleMs: number
}

export function openArchives({ entry, data, idleMs }: ArchivesOptions): Archives {
  // One, because what it keeps of each archive is in its own memory.
  const pool = new WorkerPool({ entry, data, idleMs, maxWorkers: 1 })
  const endCtx: Ctx = { signal: new AbortController().signal, log: silentLogger }
  let sessions = 0
  /** A Worker that has ended has ended them all. */
  const end = (session: number) => pool.run<void>(endCtx, { op: 'end', session }).catch(() => {})

  return {
    openRoot: (path) => check(`open ${path}`, openat(AT_FDCWD, bytePath(path), O_PATH | constants.O_DIRECTORY)),
    closeRoot: close,
    openView: (ctx, input) => pool.run<number>(ctx, { op: 'view', input }),
    stat: (ctx, root, path, follow) => pool.run<PathStat>(ctx, { op: 'stat', root, path, follow }),
    async *read(ctx, root, request) {
      const session = ++sessions
      using _kept = pool.keep()
      try {
        await pool.run<void>(ctx, { op: 'start-read', session, root, request })
        for (;;) {
          const piece = await pool.run<Uint8Array | undefined>(ctx, { op: 'read', session })
          if (piece === undefined) return
          yield piece
        }
      } finally {
        await end(session)
      }
    },
    async write(ctx, root, request, tar) {
      const session = ++sessions
      using _kept = pool.keep()
      try {
        await pool.run<void>(ctx, { op: 'start-write', session, root, request })
        for await (const piece of gathered(tar)) await pool.run<void>(ctx, { op: 'write', session, bytes: piece })
        await pool.run<void>(ctx, { op: 'write', session })
      } finally {
        await end(session)
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}

/** Fewer and larger pieces, each with a memory of its own, so that it can be handed over. */
async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(PIECE_BYTES)
  let length = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(chunk.length - at, PIECE_BYTES - length)
      piece.set(chunk.subarray(at, at + count), length)
      at += count
      length += count
      if (length < PIECE_BYTES) continue
      yield piece
      piece = new Uint8Array(PIECE_BYTES)
      length = 0
    }
  }
  if (length > 0) yield piece.subarray(0, length)
}
