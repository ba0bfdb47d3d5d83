import { StatusError, type StatusErrorOptions, toStatusError } from '../lib/errors.ts'
import type { WriteRequest } from './archive-writer.ts'
import type { ViewInput } from './container-view.ts'
import type { ReadRequest } from './read-archive.ts'
import type { SeedInput } from './seed-volume.ts'
import type { UnpackInput } from './unpack-layer.ts'
import type { Unpacked } from './unpacked.ts'

/** What a Worker does, one job at a time. */
export type Job =
  | { readonly op: 'unpack'; readonly input: UnpackInput }
  | { readonly op: 'commit'; readonly unpacked: Unpacked; readonly parents: readonly string[] }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'measure'; readonly path: string }
  | { readonly op: 'seed'; readonly input: SeedInput }
  | { readonly op: 'settle'; readonly directory: string }
  | { readonly op: 'view'; readonly input: ViewInput }
  | { readonly op: 'stat'; readonly root: number; readonly path: string; readonly follow: boolean }
  | { readonly op: 'start-read'; readonly session: number; readonly root: number; readonly request: ReadRequest }
  | { readonly op: 'start-write'; readonly session: number; readonly root: number; readonly request: WriteRequest }
  | { readonly op: 'read' | 'end'; readonly session: number }
  | { readonly op: 'write'; readonly session: number; readonly bytes?: Uint8Array<ArrayBuffer> }

export interface WorkerData {
  readonly layersDir: string
}

export type ToWorker = { readonly kind: 'job'; readonly job: Job } | { readonly kind: 'cancel' }

export type FromWorker =
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** An error on its way between threads: structured clone would lose its class. */
export interface Failure {
  readonly code: StatusError['code']
  readonly message: string
  readonly stack: string | undefined
}

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'internal', message: String(error), stack: undefined }
  const { code, message } = toStatusError(error)
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : ''
  return { code, message, stack: `${error.stack}${cause}` }
}

export function fromFailure({ code, message, stack }: Failure): StatusError {
  const options: StatusErrorOptions = stack === undefined ? {} : { cause: stack }
  return new StatusError(code, message, options)
}
