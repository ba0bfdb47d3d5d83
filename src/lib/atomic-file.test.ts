import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeFileAtomically } from './atomic-file.ts'

test('writeFileAtomically() replaces only what it may, sets the mode, and leaves no draft', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'condenser-atomic-'))
  t.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'key')
  // As a writer leaves it that was cut off.
  await writeFile(`${path}.new`, 'half', { mode: 0o644 })
  await writeFileAtomically(path, 'one', { mode: 0o600, replace: false })
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await assert.rejects(writeFileAtomically(path, 'two', { mode: 0o600, replace: false }), { code: 'EEXIST' })
  assert.equal(await readFile(path, 'utf8'), 'one')
  await writeFileAtomically(path, 'three', { mode: 0o600, replace: true })
  assert.equal(await readFile(path, 'utf8'), 'three')
  assert.deepEqual(await readdir(directory), ['key'])
})
