/** Entry module of a kernel thread with operations to test the thread itself. */
import { existsSync, readFileSync } from 'node:fs'
import { StatusError } from '../../src/lib/errors.ts'
import { serveKernelThread } from '../../src/linux/kernel-thread.ts'
import { check, libc } from '../../src/linux/libc.ts'

const mount = libc('int mount(const char*, const char*, const char*, unsigned long, const void*)')
const umount2 = libc('int umount2(const char*, int)')

serveKernelThread({
  'test.double': (value: number) => value * 2,
  'test.exists': (path: string) => existsSync(path),
  'test.mountinfo': () => readFileSync('/proc/thread-self/mountinfo', 'utf8'),
  'test.mountTmpfs': (target: string) => check('mount', mount('tmpfs', target, 'tmpfs', 0, null)),
  'test.unmount': (target: string) => check('unmount', umount2(target, 2)),
  'test.throwStatus': () => {
    throw new StatusError('conflict', 'It is taken', { details: { by: 'me' } })
  },
  'test.throwSystem': () => check('unmount /nowhere', umount2('/nowhere', 0)),
  'test.throwNode': () => readFileSync('/nowhere'),
  'test.exit': () => process.exit(3),
})
