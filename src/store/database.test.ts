import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryDirectory } from '../../test/fixtures/temporary-store.ts'
import { silentLogger } from '../lib/log.ts'
import { openStore } from './index.ts'

const open = (file: string) => openStore({ file, log: silentLogger })

test('what was written is there after closing and opening again, in one file', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  {
    await using store = open(file)
    store.write((tx) => tx.create('Container', SAMPLE_OBJECTS.Container))
  }
  assert.equal(statSync(`${file}-wal`, { throwIfNoEntry: false }), undefined)
  await using store = open(file)
  assert.equal(store.read((tx) => tx.get('Container', 'web'))?.metadata.uid, SAMPLE_OBJECTS.Container.uid)
})

test('revisions go on after opening again, also when all changes are gone', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  {
    await using store = openStore({ file, log: silentLogger, retention: { changes: 0, events: 0 } })
    for (let i = 0; i < 256; i++) {
      store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: `p${i}`, uid: `u${i}` }))
    }
  }
  await using store = open(file)
  assert.equal(
    store.read((tx) => tx.revision()),
    256,
  )
  assert.equal(store.write((tx) => tx.create('Network', SAMPLE_OBJECTS.Network)).metadata.resourceVersion, 257)
})

test('only its owner can read the files: specs hold secrets', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  await using _store = open(file)
  for (const name of [file, `${file}-wal`, `${file}-shm`]) assert.equal(statSync(name).mode & 0o777, 0o600, name)
})

test('a file of a newer version is refused and left as it is', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  await open(file)[Symbol.asyncDispose]()
  const database = new DatabaseSync(file)
  database.exec('PRAGMA user_version = 99')
  database.close()
  const before = readFileSync(file)
  assert.throws(() => open(file), { code: 'failed_precondition', message: /newer version.*schema 99/ })
  assert.deepEqual(readFileSync(file), before)
})

test('a file that is no database is refused and left as it is', (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  const text = 'these are not the bytes you are looking for'.repeat(100)
  writeFileSync(file, text)
  assert.throws(() => open(file), { code: 'failed_precondition', message: /damaged.*move it away/ })
  assert.equal(readFileSync(file, 'utf8'), text)
})

test('a damaged database is refused', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  {
    await using store = open(file)
    for (let i = 0; i < 100; i++) {
      store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: `p${i}`, uid: `u${i}` }))
    }
  }
  const bytes = readFileSync(file)
  bytes.fill(0xa5, 4096) // all but the first page
  writeFileSync(file, bytes)
  assert.throws(() => open(file), { code: 'failed_precondition', message: /damaged/ })
})
