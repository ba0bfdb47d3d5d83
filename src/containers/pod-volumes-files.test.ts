import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemCode } from '../lib/errors.ts'
import { type VolumeFile, writeVolumeFiles } from './pod-volumes-files.ts'

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'condenser-volume-files-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

const file = (path: string, text: string, mode = 0o644): VolumeFile => ({ path, data: Buffer.from(text), mode })

/** All that a reader finds by the names in the volume's root, with modes. */
function seen(directory: string): Record<string, string> {
  const found: Record<string, string> = {}
  const look = (path: string) => {
    const full = join(directory, path)
    const stat = statSync(full)
    if (stat.isDirectory()) for (const name of readdirSync(full)) look(join(path, name))
    else found[path] = `${(stat.mode & 0o7777).toString(8)} ${readFileSync(full, 'utf8')}`
  }
  for (const name of readdirSync(directory).filter((name) => !name.startsWith('..'))) look(name)
  return found
}

/** The volume's own names. */
const own = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('..'))

test('files are there by symlinks through ..data, with their modes, also in directories', async (t) => {
  const directory = temporaryDirectory(t)
  await writeVolumeFiles(directory, [
    file('a', 'A', 0o600),
    file('d/e/f', 'F', 0o444),
    file('d/g', ''),
    file('d..', 'x'),
  ])
  assert.deepEqual(seen(directory), { a: '600 A', 'd/e/f': '444 F', 'd/g': '644 ', 'd..': '644 x' })
  assert.equal(readlinkSync(join(directory, 'a')), '..data/a')
  assert.equal(readlinkSync(join(directory, 'd')), '..data/d')
  const version = readlinkSync(join(directory, '..data'))
  assert.match(version, /^\.\.\d{4}(_\d\d){5}\./)
  assert.equal(statSync(join(directory, version)).mode & 0o7777, 0o755)
  assert.deepEqual(own(directory).sort(), ['..data', version].sort())
})

test('an update is a new version; whoever has the old directory open keeps it whole', async (t) => {
  const directory = temporaryDirectory(t)
  await writeVolumeFiles(directory, [file('a', '1'), file('b', '1'), file('d/e', '1')])
  const first = readlinkSync(join(directory, '..data'))
  await writeVolumeFiles(directory, [file('a', '2'), file('c', '2'), file('d', '2')])
  assert.deepEqual(seen(directory), { a: '644 2', c: '644 2', d: '644 2' })
  assert.notEqual(readlinkSync(join(directory, '..data')), first)
  assert.equal(own(directory).length, 2)
  await writeVolumeFiles(directory, [])
  assert.deepEqual(seen(directory), {})
})

test('what has not changed is not written; each difference is', async (t) => {
  const directory = temporaryDirectory(t)
  const files = [file('a', 'A'), file('d/b', 'B')]
  const write = async (next: readonly VolumeFile[]) => {
    const before = readlinkSync(join(directory, '..data'))
    await writeVolumeFiles(directory, next)
    return readlinkSync(join(directory, '..data')) !== before
  }
  await writeVolumeFiles(directory, files)
  assert.equal(await write(files), false)
  assert.equal(await write(files.toReversed()), false)
  const changes = [
    [file('a', 'B'), files[1]!],
    [file('a', 'A', 0o600), files[1]!],
    [file('a', 'A'), file('d/c', 'B')],
    [...files, file('c', '')],
    [files[0]!],
  ]
  for (const change of changes) assert.equal(await write(change), true)
})

test('what an interrupted call has left is finished or goes', async (t) => {
  const directory = temporaryDirectory(t)
  const files = [file('a', 'A'), file('b', 'B')]
  await writeVolumeFiles(directory, files)
  // Cut off before the switch: a draft, and the symlink that was to be renamed; and after it: names are missing or too many.
  mkdirSync(join(directory, '..2025_01_01_00_00_00.abcdef'))
  writeFileSync(join(directory, '..2025_01_01_00_00_00.abcdef/a'), 'half')
  symlinkSync('..2025_01_01_00_00_00.abcdef', join(directory, '..data_tmp'))
  rmSync(join(directory, 'a'))
  symlinkSync('..data/gone', join(directory, 'gone'))
  writeFileSync(join(directory, 'stranger'), '')
  await writeVolumeFiles(directory, files)
  assert.deepEqual(seen(directory), { a: '644 A', b: '644 B' })
  assert.deepEqual(readdirSync(directory).sort(), ['..data', readlinkSync(join(directory, '..data')), 'a', 'b'].sort())
  // Somebody has changed what it holds.
  writeFileSync(join(directory, 'a'), 'changed')
  await writeVolumeFiles(directory, files)
  assert.deepEqual(seen(directory), { a: '644 A', b: '644 B' })
  // Its version is gone, or no directory.
  rmSync(join(directory, readlinkSync(join(directory, '..data'))), { recursive: true })
  await writeVolumeFiles(directory, files)
  assert.deepEqual(seen(directory), { a: '644 A', b: '644 B' })
})

test('who goes through ..data once finds one version, whole', async (t) => {
  const directory = temporaryDirectory(t)
  const version = (n: number) => [file('a', String(n)), file('d/b', String(n))]
  await writeVolumeFiles(directory, version(0))
  const writing = { done: false }
  const written = (async () => {
    for (let n = 1; n <= 30; n++) await writeVolumeFiles(directory, version(n))
  })().finally(() => {
    writing.done = true
  })
  const found = new Set<string>()
  while (!writing.done) {
    const current = join(directory, readlinkSync(join(directory, '..data')))
    try {
      const text = readFileSync(join(current, 'a'), 'utf8')
      assert.equal(readFileSync(join(current, 'd/b'), 'utf8'), text)
      found.add(text)
    } catch (error) {
      // It has been replaced, and removed, meanwhile.
      assert.equal(systemCode(error), 'ENOENT')
    }
    await new Promise(setImmediate)
  }
  await written
  assert.ok(found.size > 1)
})

test('no path leads out of the volume, or to its own names', async (t) => {
  const directory = temporaryDirectory(t)
  for (const path of ['', '/a', '../a', 'a/../b', 'a/..', '..', '..data', '..a', './a', 'a//b', 'a/', 'a\0b']) {
    await assert.rejects(writeVolumeFiles(directory, [file(path, '')]), { code: 'invalid_argument' }, path)
  }
  const conflict = { code: 'invalid_argument', message: /"a\/b" is a file/ }
  await assert.rejects(writeVolumeFiles(directory, [file('a/b', ''), file('a/b/c/d', '')]), conflict)
  assert.deepEqual(readdirSync(directory), [])
})
