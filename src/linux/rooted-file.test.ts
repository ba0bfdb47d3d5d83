import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readRootedFile } from './rooted-file.ts'

describe('readRootedFile()', () => {
  let dir: string
  let root: string

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'condenser-rooted-'))
    root = join(dir, 'root')
    mkdirSync(join(root, 'etc'), { recursive: true })
    writeFileSync(join(dir, 'secret'), 'outside')
    writeFileSync(join(root, 'etc/passwd'), 'inside')
    symlinkSync('/etc/passwd', join(root, 'absolute'))
    symlinkSync('../../../../etc/passwd', join(root, 'etc/relative'))
    symlinkSync(join(dir, 'secret'), join(root, 'escape'))
    symlinkSync('/proc/self/root/etc/passwd', join(root, 'magic'))
    execFileSync('mkfifo', [join(root, 'fifo')])
  })
  after(() => rmSync(dir, { recursive: true }))

  const read = (path: string, maxBytes = 100) => readRootedFile(root, path, maxBytes)?.toString()

  test('resolves as if the root were /', () => {
    for (const path of ['etc/passwd', '/etc/passwd', '../../etc/passwd', 'absolute', 'etc/relative']) {
      assert.equal(read(path), 'inside', path)
    }
    assert.equal(read('escape'), undefined)
    assert.equal(read('magic'), undefined)
  })

  test('reads regular files only, and does not wait for a FIFO', () => {
    for (const path of ['fifo', 'etc', '', 'nothing']) assert.equal(read(path), undefined, path)
  })

  test('is bounded', () => {
    assert.equal(read('etc/passwd', 6), 'inside')
    assert.throws(() => read('etc/passwd', 5), { code: 'resource_exhausted' })
  })
})
