/**
 * One Worker for the kernel work that blocks or is bound to a thread: namespaces, netlink, spawning.
 *
 * The operations are plain synchronous functions by name. They run one after the other, in the order of the calls;
 * what they throw crosses the threads with its class and code.
 */
import { parentPort, Worker } from 'node:worker_threads'
import { messageOf, type StatusCode, StatusError } from '../lib/errors.ts'
import { SysError } from './libc.ts'
import { hideMount } from './mount-namespace.ts'

/** Arguments and results must be structured-cloneable. */
export type KernelOps = Readonly<Record<string, (argument: never) => unknown>>

export interface KernelThread extends AsyncDisposable {
  /** @throws what the operation threw; `unavailable` {@link StatusError} if the thread has ended */
  call<R>(op: string, argument: unknown): Promise<R>
}

interface Call {
  readonly op: string
  readonly argument: unknown
}

type Reply = { readonly result: unknown } | { readonly error: WireError }

type WireError =
  | { readonly type: 'status'; readonly code: StatusCode; readonly message: string; readonly details?: unknown }
  | { readonly type: 'system'; readonly operation: string; readonly errno: number }
  | { readonly type: 'other'; readonly message: string; readonly code?: unknown; readonly stack?: string }

const UNIFIED_CGROUP = '/sys/fs/cgroup/unified'

const ownOps: KernelOps = { hideUnifiedCgroup: () => hideMount(UNIFIED_CGROUP) }

/** Starts the Worker whose entry module calls {@link serveKernelThread}. Disposing waits for the calls under way. */
export function startKernelThread(entry: URL): KernelThread {
  return new WorkerThread(
    new Worker(entry, {
      name: 'kernel',
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 2 },
    }),
  )
}

/**
 * On hosts with hybrid cgroups crun works only where it sees no /sys/fs/cgroup/unified: the thread, and what it spawns,
 * move to a mount namespace of their own without it. All other mounts keep their propagation, so what both sides must
 * see has to lie on a shared mount before.
 */
export function hideUnifiedCgroup(thread: KernelThread): Promise<void> {
  return thread.call('hideUnifiedCgroup', null)
}

/** Serves the operations; called once by the entry module, inside the Worker. */
export function serveKernelThread(ops: KernelOps): void {
  const port = parentPort
  if (port === null) throw new Error('serveKernelThread must be called in a Worker')
  const all: KernelOps = { ...ops, ...ownOps }
  port.on('message', ({ op, argument }: Call) => {
    port.postMessage(run(all, op, argument))
  })
}

/** The same on the calling thread, without a Worker: for tests. */
export function inlineKernelThread(ops: KernelOps): KernelThread {
  return {
    async call<R>(op: string, argument: unknown): Promise<R> {
      return unwrap(structuredClone(run(ops, op, structuredClone(argument)))) as R
    },
    async [Symbol.asyncDispose]() {},
  }
}

class WorkerThread implements KernelThread {
  readonly #worker: Worker
  /** In the order of the calls, which is the order of the replies. */
  readonly #waiting: PromiseWithResolvers<unknown>[] = []
  #ended: StatusError | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (reply: Reply) => {
      const call = this.#waiting.shift()
      try {
        call?.resolve(unwrap(reply))
      } catch (error) {
        call?.reject(error)
      }
    })
    worker.on('error', (error) => this.#end(`The kernel thread failed: ${messageOf(error)}`, error))
    worker.on('exit', () => this.#end('The kernel thread has ended'))
  }

  call<R>(op: string, argument: unknown): Promise<R> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const call = Promise.withResolvers<unknown>()
    this.#worker.postMessage({ op, argument } satisfies Call)
    this.#waiting.push(call)
    return call.promise as Promise<R>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= new StatusError('unavailable', 'The kernel thread has been stopped')
    await Promise.allSettled(this.#waiting.map((call) => call.promise))
    await this.#worker.terminate()
  }

  #end(message: string, cause?: unknown): void {
    this.#ended ??= new StatusError('unavailable', message, { cause })
    for (const call of this.#waiting.splice(0)) call.reject(this.#ended)
  }
}

function run(ops: KernelOps, op: string, argument: unknown): Reply {
  try {
    const operation = ops[op]
    if (operation === undefined) throw new StatusError('unimplemented', `The kernel thread has no operation "${op}"`)
    return { result: operation(argument as never) }
  } catch (error) {
    return { error: toWire(error) }
  }
}

function unwrap(reply: Reply): unknown {
  if ('error' in reply) throw fromWire(reply.error)
  return reply.result
}

function toWire(error: unknown): WireError {
  if (error instanceof StatusError) {
    const { code, message, details } = error
    return { type: 'status', code, message, details }
  }
  if (error instanceof SysError) {
    return { type: 'system', operation: error.message.slice(0, -`: ${error.code}`.length), errno: error.errno }
  }
  const { code, stack } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  return { type: 'other', message: messageOf(error), code, stack }
}

function fromWire(wire: WireError): Error {
  switch (wire.type) {
    case 'status':
      return new StatusError(wire.code, wire.message, { details: wire.details as StatusError['details'] })
    case 'system':
      return new SysError(wire.operation, wire.errno)
    case 'other': {
      const error = new Error(wire.message)
      if (wire.stack !== undefined) error.stack = wire.stack
      return wire.code === undefined ? error : Object.assign(error, { code: wire.code })
    }
  }
}
