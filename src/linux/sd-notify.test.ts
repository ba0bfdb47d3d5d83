import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { check, libc } from './libc.ts'
import { notifySystemd } from './sd-notify.ts'

const socket = libc('int socket(int, int, int)')
const bind = libc('int bind(int, const void*, unsigned int)')
const recv = libc('int64_t recv(int, void*, size_t, int)')
const close = libc('int close(int)')

/** Receives what `send` sends to a datagram socket at `name`. */
function received(name: Buffer, send: () => void): string {
  const address = Buffer.concat([Buffer.from([1, 0]), name])
  const fd = check('socket', socket(1, 2, 0))
  try {
    check('bind', bind(fd, address, address.length))
    send()
    const message = Buffer.alloc(100)
    return message.subarray(0, check('recv', recv(fd, message, message.length, 0))).toString()
  } finally {
    close(fd)
  }
}

test('notifySystemd() speaks to paths and to abstract names, and to nobody', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'condenser-notify-'))
  t.after(() => {
    delete process.env['NOTIFY_SOCKET']
    rmSync(dir, { recursive: true })
  })
  notifySystemd('READY=1')
  process.env['NOTIFY_SOCKET'] = join(dir, 'notify')
  assert.throws(() => notifySystemd('READY=1'), { code: 'ENOENT' })
  assert.equal(
    received(Buffer.from(join(dir, 'notify')), () => notifySystemd('READY=1')),
    'READY=1',
  )
  const abstract = `condenser-test-${process.pid}`
  process.env['NOTIFY_SOCKET'] = `@${abstract}`
  assert.equal(
    received(Buffer.from(`\0${abstract}`), () => notifySystemd('STOPPING=1')),
    'STOPPING=1',
  )
})
