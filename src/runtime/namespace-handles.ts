import { closeSync, openSync } from 'node:fs'
import { processStat } from '../linux/process.ts'
import type { NamespaceKind } from '../model/namespace-mode.ts'
import type { CreatedProcess } from './types.ts'

/** Namespaces of processes, held open: each stays the one that was meant, whatever becomes of its process. */
export class NamespaceHandles implements Disposable {
  readonly #open: number[] = []

  /** A path by which a child can join that namespace until disposed; undefined if the process has ended. */
  hold({ pid, pidStartTime }: CreatedProcess, kind: NamespaceKind): string | undefined {
    let fd: number
    try {
      fd = openSync(`/proc/${pid}/ns/${kind}`, 'r')
    } catch {
      return undefined
    }
    this.#open.push(fd)
    // Looked at after the open, so that the pid cannot have become another's before it.
    return processStat(pid)?.startTime === pidStartTime ? `/proc/${process.pid}/fd/${fd}` : undefined
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeSync(fd)
  }
}
