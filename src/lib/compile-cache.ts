import { flushCompileCache } from 'node:module'

const SETTLED_MS = 2000

/**
 * Writes the compiled code of this thread's modules to the cache that NODE_COMPILE_CACHE names, once all are loaded:
 * a daemon that is killed leaves it for the next start, and V8 gives back what it kept for that.
 */
export function keepCompiledCode(): void {
  setTimeout(flushCompileCache, SETTLED_MS).unref()
}
