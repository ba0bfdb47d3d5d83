/**
 * Makes test/fixtures/store-v<schema>.db, a database file as this version writes it, and beside it as JSON what is in
 * it. Run it once for every schema that is released, before the migration that follows; a file is never made again.
 *
 *   scripts/node.sh scripts/make-store-fixture.ts test/fixtures/store-v1
 */
import { existsSync, writeFileSync } from 'node:fs'
import { silentLogger } from '../src/lib/log.ts'
import type { Kind } from '../src/model/kinds.ts'
import { openStore, type WriteTx } from '../src/store/index.ts'
import { dumpStore } from '../test/fixtures/dump-store.ts'
import { SAMPLE_OBJECTS } from '../test/fixtures/store-objects.ts'

const path = process.argv[2]
if (path === undefined || existsSync(`${path}.db`)) {
  console.error('usage: make-store-fixture.ts PATH-WITHOUT-EXTENSION (of files that do not exist)')
  process.exit(2)
}

await using store = openStore({ file: `${path}.db`, log: silentLogger })
for (const kind of Object.keys(SAMPLE_OBJECTS) as Kind[]) store.write((tx) => createSample(tx, kind))
const { uid } = SAMPLE_OBJECTS.Container
store.write((tx) => {
  tx.putStatus('Container', uid!, { restartCount: 3 })
  tx.event({ kind: 'Container', action: 'start', uid: uid!, name: 'web', attributes: { image: 'sample:1.0' } })
})
store.write((tx) => {
  const network = tx.get('Network', 'raind0')!
  tx.put('Network', { ...network, spec: { ...network.spec, mtu: 1500 } })
})
store.write((tx) => {
  const doomed = tx.create('Pull', { ...SAMPLE_OBJECTS.Pull, name: 'doomed', uid: 'doomed' })
  tx.delete('Pull', doomed.metadata.uid)
  tx.event({ kind: 'Image', action: 'pull', uid: '', name: 'größe:1', attributes: {} })
})
writeFileSync(`${path}.json`, `${JSON.stringify(await dumpStore(store), undefined, 2)}\n`)

function createSample<K extends Kind>(tx: WriteTx, kind: K): void {
  const sample = SAMPLE_OBJECTS[kind]
  const { uid, name } = tx.create(kind, sample).metadata
  tx.event({ kind, action: 'create', uid, name, attributes: {} })
}
