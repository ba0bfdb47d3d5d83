import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { dumpStore } from '../../test/fixtures/dump-store.ts'
import { temporaryDirectory } from '../../test/fixtures/temporary-store.ts'
import { silentLogger } from '../lib/log.ts'
import type { Kind, Kinds } from '../model/kinds.ts'
import { openStore } from './index.ts'
import { SCHEMA_VERSION } from './migrations.ts'

const FIXTURES = join(import.meta.dirname, '../../test/fixtures')
/** What the files of each schema hold. A fixture is what users have on their disks: it never changes. */
const KINDS_OF: Readonly<Record<string, readonly Kind[]>> = {
  'store-v1': ['Image', 'Layer', 'Pull', 'Network', 'AddressLease', 'PortLease', 'Sandbox', 'Container'],
  'store-v2': ['Image', 'Layer', 'Pull', 'Network', 'AddressLease', 'PortLease', 'Sandbox', 'Container'],
}

test('every schema that was released has a fixture', () => {
  const files = readdirSync(FIXTURES).filter((name) => name.endsWith('.db'))
  assert.deepEqual(
    files.sort(),
    Object.keys(KINDS_OF).map((name) => `${name}.db`),
  )
  assert.deepEqual(
    Object.keys(KINDS_OF),
    Array.from({ length: SCHEMA_VERSION }, (_, index) => `store-v${index + 1}`),
  )
})

for (const [name, kinds] of Object.entries(KINDS_OF)) {
  test(`${name}.db is migrated, and everything in it can be read`, async (t) => {
    const file = join(temporaryDirectory(t), 'test.db')
    copyFileSync(join(FIXTURES, `${name}.db`), file)
    const expected = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'))
    {
      await using store = openStore({ file, log: silentLogger })
      const found = JSON.parse(JSON.stringify(await dumpStore(store)))
      assert.equal(found.revision, expected.revision)
      assert.deepEqual(found.changes, expected.changes)
      assert.deepEqual(found.events, expected.events)
      for (const kind of kinds) {
        assert.ok(found.objects[kind].length > 0, kind)
        assert.deepEqual(found.objects[kind], expected.objects[kind])
        for (const object of found.objects[kind] as Kinds[Kind][]) {
          const { uid } = object.metadata
          const again = store.write((tx) =>
            tx.put(kind, { ...tx.getByUid(kind, uid)!, metadata: { ...object.metadata, labels: { n: '1' } } }),
          )
          assert.equal(again.metadata.generation, object.metadata.generation)
        }
      }
    }
    const database = new DatabaseSync(file)
    assert.equal(database.prepare('PRAGMA user_version').get()?.['user_version'], SCHEMA_VERSION)
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
    database.close()
  })
}
