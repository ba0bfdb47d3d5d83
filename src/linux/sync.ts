import { callOffThread, errno, libc, SysError } from './libc.ts'

const native = libc('int syncfs(int)')

/** Everything written to the filesystem of `fd` is on disk when it returns: for Workers. @throws {SysError} */
export function syncfsNow(fd: number): void {
  if (native(fd) < 0) throw new SysError('syncfs', errno())
}

/** Everything written to the filesystem of `fd` is on disk when it resolves. Runs off the main thread. */
export async function syncfs(fd: number): Promise<void> {
  const result = await callOffThread(native, fd)
  if (result < 0) throw new SysError('syncfs', -result)
}
