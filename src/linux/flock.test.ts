import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockFile } from './flock.ts'

test('a lock is exclusive, also within a process, and free again once disposed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flock-'))
  try {
    const file = join(directory, 'lock')
    const first = lockFile(file)
    assert.ok(first)
    assert.equal(lockFile(file), undefined)
    first[Symbol.dispose]()
    using again = lockFile(file)
    assert.ok(again)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
