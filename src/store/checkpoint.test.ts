import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { countShrinks } from '../../test/fixtures/count-shrinks.ts'
import { SAMPLE_OBJECTS } from '../../test/fixtures/store-objects.ts'
import { temporaryDirectory, temporaryStoreAndFile } from '../../test/fixtures/temporary-store.ts'
import { eventually } from '../../test/support/eventually.ts'
import { jsonLogger } from '../lib/log.ts'
import { openStore } from './index.ts'

const LIMIT = 256 * 1024

/** A store with a small log, what it logs, and a way to write to it. */
function open(t: TestContext) {
  const lines: string[] = []
  const log = jsonLogger('debug', (line) => void lines.push(line))
  const { store, file } = temporaryStoreAndFile(t, { log, walLimitBytes: LIMIT })
  let written = 0
  const write = () => {
    const name = `p${written++}`
    store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name, uid: name }))
  }
  const walBytes = () => statSync(`${file}-wal`).size
  /** Each on disk before the next. */
  const writeUntil = async (isEnough: () => boolean) => {
    const writeOne = async () => {
      write()
      await store.durable()
      return walBytes()
    }
    await eventually(writeOne, isEnough, 0)
  }
  return { file, store, lines, write, writeUntil, written: () => written, walBytes }
}

/** Writes from several sides until the log has been emptied that often. */
async function writeThrough({ file, writeUntil }: ReturnType<typeof open>, checkpoints: number): Promise<void> {
  const emptied = countShrinks(`${file}-wal`)
  const side = () => writeUntil(() => emptied() >= checkpoints)
  await Promise.all([side(), side(), side()])
}

test('the log is emptied under load, and nothing is lost', async (t) => {
  const opened = open(t)
  await writeThrough(opened, 3)
  await opened.store[Symbol.asyncDispose]()
  assert.deepEqual(opened.lines, [])
  const database = new DatabaseSync(opened.file)
  assert.equal(database.prepare('SELECT count(*) AS n FROM objects').get()?.['n'], opened.written())
  assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  database.close()
})

test('a reader in another process keeps its snapshot, and the log grows meanwhile', async (t) => {
  const opened = open(t)
  const { file, lines, write, writeUntil, walBytes } = opened
  const reader = new DatabaseSync(file)
  write()
  reader.exec('BEGIN')
  const countSeen = () => reader.prepare('SELECT count(*) AS n FROM objects').get()?.['n']
  assert.equal(countSeen(), 1)
  await writeUntil(() => walBytes() >= 2 * LIMIT)
  assert.equal(countSeen(), 1)
  reader.close()
  await writeThrough(opened, 1)
  assert.deepEqual(lines, [])
})

test('a log that is copied but cannot be emptied because of a reader is started anew safely', async (t) => {
  const opened = open(t)
  const { file, store, lines, write, walBytes } = opened
  while (walBytes() < LIMIT) write() // the last one begins a checkpoint
  const reader = new DatabaseSync(file)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) AS n FROM objects').get()
  await eventually(() => lines.length > 0)
  assert.match(lines[0]!, /another process reads/)
  reader.close()
  await writeThrough(opened, 2)
  assert.equal(lines.length, 1)
  assert.equal(
    store.read((tx) => tx.count('Pull')),
    opened.written(),
  )
})

test('a checkpoint that fails is logged, and the log is kept for the next start', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  const logged = Promise.withResolvers<string>()
  const checkpointWorker = new URL('file:///nowhere/checkpoint-worker.js')
  const log = jsonLogger('error', logged.resolve)
  const names = Array.from({ length: 50 }, (_, index) => `p${index}`)
  {
    await using store = openStore({ file, log, walLimitBytes: LIMIT, checkpointWorker })
    for (const name of names) store.write((tx) => tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name, uid: name }))
    assert.match(await logged.promise, /checkpoint/)
    await store.durable()
  }
  assert.ok(statSync(`${file}-wal`).size > LIMIT)
  await using store = openStore({ file, log })
  assert.deepEqual(
    store.read((tx) => tx.list('Pull').map(({ metadata }) => metadata.name)),
    names,
  )
})
