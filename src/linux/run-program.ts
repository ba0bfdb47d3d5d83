import { closeSync, existsSync, fstatSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelThread } from './kernel-thread.ts'
import { check, libc } from './libc.ts'
import { spawnProcess } from './spawn.ts'

const memfdCreate = libc('int memfd_create(const char*, unsigned int)')

const MFD_CLOEXEC = 1
const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin', '/bin']

interface ProgramResult {
  /** 128 + signal for one that was killed. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a small program of the system to its end, from the kernel thread; undefined if it is not installed. Input and
 * output are files in memory: nothing is read or written while it runs.
 */
export async function runProgram(
  thread: KernelThread,
  name: string,
  args: readonly string[],
  input = '',
): Promise<ProgramResult | undefined> {
  const path = DIRECTORIES.map((directory) => join(directory, name)).find((path) => existsSync(path))
  if (path === undefined) return undefined
  using stdin = new MemoryFile('stdin', input)
  using stdout = new MemoryFile('stdout')
  using stderr = new MemoryFile('stderr')
  using child = await spawnProcess(thread, {
    path,
    argv: [path, ...args],
    env: [`PATH=${DIRECTORIES.join(':')}`, 'LC_ALL=C'],
    stdio: [stdin.fd, stdout.fd, stderr.fd],
    cwd: '/',
  })
  const exitCode = await child.exit
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
}

class MemoryFile implements Disposable {
  readonly fd: number

  constructor(name: string, content = '') {
    this.fd = check('make a file in memory', memfdCreate(name, MFD_CLOEXEC))
    const bytes = Buffer.from(content)
    // At a position, because the child reads from the shared offset, which stays at 0.
    for (let done = 0; done < bytes.length; ) done += writeSync(this.fd, bytes, done, bytes.length - done, done)
  }

  text(): string {
    const bytes = Buffer.alloc(fstatSync(this.fd).size)
    return bytes.toString('utf8', 0, readSync(this.fd, bytes, 0, bytes.length, 0))
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}
