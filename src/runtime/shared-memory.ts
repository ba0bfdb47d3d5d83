import { mkdirSync } from 'node:fs'
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, unmount } from '../linux/mount.ts'

const DEFAULT_BYTES = 64 * 1024 * 1024

/** Mounts a tmpfs that containers which share an IPC namespace bind as their /dev/shm. */
export function mountSharedMemory(directory: string, bytes = DEFAULT_BYTES): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  mount('shm', directory, 'tmpfs', MS_NOSUID | MS_NODEV | MS_NOEXEC, `mode=1777,size=${bytes}`)
}

/** Idempotent; lazy, so that it cannot be busy. */
export function unmountSharedMemory(directory: string): void {
  unmount(directory)
}
