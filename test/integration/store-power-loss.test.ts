import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '../../src/lib/log.ts'
import { openStore } from '../../src/store/index.ts'
import { countShrinks } from '../fixtures/count-shrinks.ts'

const WRITER = join(import.meta.dirname, '../fixtures/killed-writer.ts')

/**
 * An ext4 of its own in a loop device, which writes out nothing by itself for five minutes: what its image file holds
 * is what was synced, so a copy of the image is what a loss of power would leave. Mounts are in namespaces of the
 * children and end with them.
 */
function makeDisk(t: TestContext) {
  const directory = mkdtempSync('/var/tmp/condenser-power-loss-')
  t.after(() => rmSync(directory, { recursive: true }))
  const [image, mountPoint] = [join(directory, 'image'), join(directory, 'mnt')]
  mkdirSync(mountPoint)
  writeFileSync(image, '')
  truncateSync(image, 64 * 1024 * 1024)
  execFileSync('mkfs.ext4', ['-q', '-F', image])
  const script = (rest: string) => `mount -o loop,commit=300 "$1" ${mountPoint} && cd ${mountPoint} && ${rest}`
  return { directory, image, script }
}

/** The kernel may write pages out in any order: only what was synced, or what is in the database before what is in its log. */
const WRITE_OUT = {
  'only what was synced': '',
  'the database first': '(while sync -d test.db 2>/dev/null || [ ! -e test.db ]; do sleep 0.01; done) &',
}

interface Cut {
  /** So often the log is emptied before. */
  readonly checkpoints: number
  /** After so many further acknowledgements. */
  readonly acknowledgements: number
  readonly writeOut: keyof typeof WRITE_OUT
}

/** Writes, and cuts the power; returns the acknowledged names and the database found after. */
async function cutPower(t: TestContext, { checkpoints, acknowledgements, writeOut }: Cut) {
  const { directory, image, script } = makeDisk(t)
  const run = script(`mkdir db && cd db && { ${WRITE_OUT[writeOut]} exec "$2" "$3" test.db n; }`)
  const child = spawn('unshare', ['-m', 'sh', '-c', run, 'sh', image, process.execPath, WRITER], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a process group: what runs beside the writer ends with it
  })
  const exited = once(child, 'exit')
  const checkpointed = countShrinks(`/proc/${child.pid}/cwd/test.db-wal`)
  const names: string[] = []
  let left = acknowledgements
  for await (const line of createInterface({ input: child.stdout })) {
    names.push(line)
    if (checkpointed() < checkpoints || --left !== 0) continue
    process.kill(-child.pid!, 'SIGSTOP')
    await sleep(100) // a sync that the kernel has begun still ends
    copyFileSync(image, join(directory, 'after'))
    process.kill(-child.pid!, 'SIGKILL')
  }
  await exited
  const copy = script(`cp db/test.db* ${directory}/`)
  execFileSync('unshare', ['-m', 'sh', '-c', copy, 'sh', join(directory, 'after')])
  return { names, file: join(directory, 'test.db') }
}

const CUTS: readonly Cut[] = [
  { checkpoints: 0, acknowledgements: 1, writeOut: 'only what was synced' },
  { checkpoints: 1, acknowledgements: 1, writeOut: 'only what was synced' },
  { checkpoints: 2, acknowledgements: 40, writeOut: 'the database first' },
  { checkpoints: 3, acknowledgements: 10, writeOut: 'only what was synced' },
]

for (const cut of CUTS) {
  test(`a loss of power loses nothing acknowledged: ${JSON.stringify(cut)}`, async (t) => {
    const { names, file } = await cutPower(t, cut)
    const database = new DatabaseSync(file)
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
    database.close()
    await using store = openStore({ file, log: silentLogger })
    store.read((tx) => {
      const objects = tx.list('Pull')
      const found = new Set(objects.map(({ metadata }) => metadata.name))
      assert.ok(names.length >= cut.acknowledgements)
      assert.deepEqual(
        names.filter((name) => !found.has(name)),
        [],
      )
      assert.equal(tx.revision(), objects.length)
    })
  })
}
