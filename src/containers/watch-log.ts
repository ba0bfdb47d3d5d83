import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { startTimer } from '../lib/long-timer.ts'

/** A log that is being written to is looked at this often, not at every write. */
const GATHER_MS = 10
/** Where it cannot be watched, it is looked at this often. */
const RETRY_MS = 1000

interface LogChanges extends Disposable {
  isOver(): boolean
  /** All that has come so far has been looked at. */
  seen(): void
  /** Resolves when there may be more to read. */
  next(): Promise<void>
}

/** What tells a follower that there may be more: writes, the end (`over`, or the time `until`), and the end of the context. */
export function watchLog(ctx: Ctx, file: string, over: Promise<unknown>, until: number | undefined): LogChanges {
  let isOver = false
  let changed = false
  let wake = () => {}
  const change = () => {
    changed = true
    wake()
  }
  const finish = () => {
    isOver = true
    change()
  }
  const leave = onWrites(dirname(file), change)
  void over.then(finish, finish)
  ctx.signal.addEventListener('abort', change, { once: true })
  const timer = until === undefined ? undefined : startTimer(Math.max(0, until - Date.now()), finish)
  return {
    isOver: () => isOver,
    seen() {
      changed = false
    },
    async next() {
      if (changed) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    },
    [Symbol.dispose]() {
      leave()
      timer?.[Symbol.dispose]()
      ctx.signal.removeEventListener('abort', change)
    },
  }
}

interface WatchedDirectory {
  /** Absent while changes are gathered: each would be a wake-up, of us and of the writer's processor. */
  watcher: FSWatcher | undefined
  readonly listeners: Set<() => void>
  gathering: NodeJS.Timeout | undefined
}

/** One watch a directory, however many follow what is in it. */
const watched = new Map<string, WatchedDirectory>()

/** Calls `listener` a moment after something was written there: once for all that was. Returns what ends that. */
function onWrites(directory: string, listener: () => void): () => void {
  const entry = watched.get(directory) ?? watchDirectory(directory)
  entry.listeners.add(listener)
  return () => {
    entry.listeners.delete(listener)
    if (entry.listeners.size > 0 || watched.get(directory) !== entry) return
    watched.delete(directory)
    entry.watcher?.close()
    clearTimeout(entry.gathering)
  }
}

function watchDirectory(directory: string): WatchedDirectory {
  const tell = () => {
    // Before anybody looks: what is written after that look is told of again.
    entry.watcher = open()
    entry.gathering = entry.watcher === undefined ? setTimeout(tell, RETRY_MS).unref() : undefined
    for (const listener of [...entry.listeners]) listener()
  }
  const gather = () => {
    entry.watcher?.close()
    entry.watcher = undefined
    entry.gathering ??= setTimeout(tell, GATHER_MS).unref()
  }
  const open = () => {
    try {
      return watch(directory, { persistent: false }, gather).on('error', gather)
    } catch {
      // It has just been removed, or the host has no watch left.
      return undefined
    }
  }
  const entry: WatchedDirectory = { watcher: undefined, listeners: new Set(), gathering: undefined }
  tell()
  watched.set(directory, entry)
  return entry
}
