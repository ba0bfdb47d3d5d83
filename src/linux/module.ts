import { spawnSync } from 'node:child_process'

/** Loads a kernel module, with a process and on the calling thread: for boot. Whether it is there now. */
export function loadModule(name: string): boolean {
  return spawnSync('/sbin/modprobe', ['--quiet', name], { stdio: 'ignore', timeout: 10_000 }).status === 0
}
