import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { silentLogger } from '../../src/lib/log.ts'
import { openStore } from '../../src/store/index.ts'
import { temporaryDirectory } from '../fixtures/temporary-store.ts'

const WRITER = join(import.meta.dirname, '../fixtures/killed-writer.ts')

/** Starts a writer, kills it after so many acknowledgements, and returns all that it gave. */
async function writeAndKill(file: string, prefix: string, acknowledgements: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, file, prefix], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const names: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (names.push(line) === acknowledgements) child.kill('SIGKILL')
  }
  assert.deepEqual(await exited, [null, 'SIGKILL'])
  return names
}

test('what was acknowledged survives kill -9, time after time, and the file stays whole', async (t) => {
  const file = join(temporaryDirectory(t), 'test.db')
  const acknowledged: string[] = []
  for (const [round, acknowledgements] of [1, 7, 40, 90, 333].entries()) {
    acknowledged.push(...(await writeAndKill(file, `round${round}`, acknowledgements)))
    const database = new DatabaseSync(file)
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
    database.close()
    await using store = openStore({ file, log: silentLogger })
    store.read((tx) => {
      const objects = tx.list('Pull')
      const found = new Set(objects.map(({ metadata }) => metadata.name))
      assert.deepEqual(
        acknowledged.filter((name) => !found.has(name)),
        [],
      )
      assert.equal(tx.revision(), objects.length)
    })
  }
})
