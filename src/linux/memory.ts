import { libc } from './libc.ts'

const native = { malloc_trim: libc('int malloc_trim(size_t)') }

/** Gives the C library's free memory back to the kernel, of all threads; it keeps it otherwise. A few ms: call it off hot paths. */
export function trimMemory(): void {
  native.malloc_trim(0)
}
