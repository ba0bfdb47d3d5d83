/** Loads a kernel module, with a process and on the calling thread: for boot. Whether it is there now. */
export function loadModule(name: string): boolean {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  return spawnSync('/sbin/modprobe', ['--quiet', name], { stdio: 'ignore', timeout: 10_000 }).status === 0
}
