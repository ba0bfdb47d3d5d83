import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hasCode } from '../../src/lib/errors.ts'
import { hideUnifiedCgroup, type KernelThread, startKernelThread } from '../../src/linux/kernel-thread.ts'
import { libc, SysError } from '../../src/linux/libc.ts'
import { runInOwnNamespaces } from '../support/namespace.ts'

runInOwnNamespaces(import.meta.filename)

const mount = libc('int mount(const char*, const char*, const char*, unsigned long, const void*)')
const umount2 = libc('int umount2(const char*, int)')
const MS_BIND = 1 << 12
const MS_SHARED = 1 << 20

const entry = new URL('../support/kernel-thread-entry.ts', import.meta.url)

describe('the kernel thread', () => {
  test('answers calls in their order', async () => {
    await using thread = startKernelThread(entry)
    const calls = Array.from({ length: 50 }, (_, i) => thread.call<number>('test.double', i))
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 50 }, (_, i) => i * 2),
    )
  })

  test('keeps the class and the code of what an operation throws', async () => {
    await using thread = startKernelThread(entry)
    await assert.rejects(thread.call('test.throwStatus', null), (error) => {
      assert.ok(hasCode(error, 'conflict'))
      assert.equal(error.message, 'It is taken')
      assert.deepEqual(error.details, { by: 'me' })
      return true
    })
    await assert.rejects(thread.call('test.throwSystem', null), (error) => {
      assert.ok(error instanceof SysError)
      assert.equal(error.code, 'ENOENT')
      assert.equal(error.message, 'unmount /nowhere: ENOENT')
      return true
    })
    await assert.rejects(thread.call('test.throwNode', null), { code: 'ENOENT', message: /no such file/ })
    await assert.rejects(thread.call('test.missing', null), { code: 'unimplemented' })
    assert.equal(await thread.call('test.double', 4), 8)
  })

  test('finishes the calls under way when it is disposed, and refuses later ones', async () => {
    const thread = startKernelThread(entry)
    const call = thread.call('test.double', 21)
    await thread[Symbol.asyncDispose]()
    assert.equal(await call, 42)
    await assert.rejects(thread.call('test.double', 1), { code: 'unavailable' })
  })

  test('fails the calls that wait when the thread dies', async () => {
    await using thread = startKernelThread(entry)
    await assert.rejects(thread.call('test.exit', null), { code: 'unavailable' })
  })
})

describe('hiding the unified cgroup hierarchy', () => {
  // A stand-in for the host's mounts, as systemd leaves them: shared, and with a unified hierarchy.
  const dir = mkdtempSync('/var/tmp/condenser-kernel-thread-')
  const shared = join(dir, 'shared')
  let thread: KernelThread

  before(async () => {
    mkdirSync(shared)
    assert.equal(mount(shared, shared, null, MS_BIND, null), 0)
    assert.equal(mount('none', shared, null, MS_SHARED, null), 0)
    assert.equal(mount('tmpfs', '/sys/fs/cgroup', 'tmpfs', 0, null), 0)
    assert.equal(mount('none', '/sys/fs/cgroup', null, MS_SHARED, null), 0)
    mkdirSync('/sys/fs/cgroup/unified')
    mkdirSync('/sys/fs/cgroup/other')
    assert.equal(mount('tmpfs', '/sys/fs/cgroup/unified', 'tmpfs', 0, null), 0)
    assert.equal(mount('tmpfs', '/sys/fs/cgroup/other', 'tmpfs', 0, null), 0)
    writeFileSync('/sys/fs/cgroup/unified/marker', '')
    writeFileSync('/sys/fs/cgroup/other/marker', '')
    thread = startKernelThread(entry)
    await hideUnifiedCgroup(thread)
  })

  after(async () => {
    await thread[Symbol.asyncDispose]()
    umount2(shared, 2)
    rmSync(dir, { recursive: true })
  })

  test('hides it from the thread only', async () => {
    assert.equal(await thread.call('test.exists', '/sys/fs/cgroup/unified/marker'), false)
    assert.equal(await thread.call('test.exists', '/sys/fs/cgroup/other/marker'), true)
    assert.match(readFileSync('/proc/self/mountinfo', 'utf8'), / \/sys\/fs\/cgroup\/unified /)
  })

  test('mounts on a shared mount are seen, and go, on both sides', async () => {
    const fromMain = join(shared, 'main')
    const fromThread = join(shared, 'thread')
    mkdirSync(fromMain)
    mkdirSync(fromThread)
    assert.equal(mount('tmpfs', fromMain, 'tmpfs', 0, null), 0)
    writeFileSync(join(fromMain, 'marker'), '')
    assert.equal(await thread.call('test.exists', join(fromMain, 'marker')), true)
    await thread.call('test.mountTmpfs', fromThread)
    assert.match(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(` ${fromThread} `))
    assert.equal(umount2(fromThread, 2), 0)
    await thread.call('test.unmount', fromMain)
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(` (${fromMain}|${fromThread}) `))
    assert.doesNotMatch(await thread.call<string>('test.mountinfo', null), new RegExp(` (${fromMain}|${fromThread}) `))
  })
})
