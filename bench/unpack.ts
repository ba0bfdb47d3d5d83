/**
 * Unpacking 3 gzip layers (764 MB, 41,000 files) side by side, with all digests verified and hard on the disk, against
 * `gzip -dc | tar -x` of one after the other, and sync. Prints the ratio of the medians; below 1 is faster.
 *
 *     sudo scripts/node.sh bench/unpack.ts [--rounds 3] [--dir /var/tmp]
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import type { Ctx } from '../src/lib/ctx.ts'
import { silentLogger } from '../src/lib/log.ts'
import { openSnapshots } from '../src/snapshots/index.ts'

const LAYERS = 3
const FILES_PER_LAYER = 13_700
const BYTES_PER_LAYER = 254_000_000

const ctx: Ctx = { signal: new AbortController().signal, log: silentLogger }

interface Archive {
  readonly blobPath: string
  readonly diffId: string
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, dir: { type: 'string', default: '/var/tmp' } },
})
const dir = mkdtempSync(join(values.dir, 'condenser-bench-'))
try {
  const archives: Archive[] = []
  for (let index = 0; index < LAYERS; index++) archives.push(await makeArchive(index))
  const ours: number[] = []
  const theirs: number[] = []
  // Nothing is removed between the rounds: ext4 makes files slowly for a while after many were deleted.
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(await timed(() => unpackAll(archives, join(dir, `ours-${round}`))))
    theirs.push(await timed(() => tarAll(archives, join(dir, `theirs-${round}`))))
  }
  const ratio = median(ours) / median(theirs)
  console.log(JSON.stringify({ name: 'unpack', oursMs: ours, gzipTarMs: theirs, ratio: Number(ratio.toFixed(2)) }))
} finally {
  rmSync(dir, { recursive: true })
}

async function unpackAll(archives: readonly Archive[], layersDir: string): Promise<void> {
  await using snapshots = await openSnapshots({ layersDir })
  const unpacked = archives.map((archive, index) =>
    snapshots.unpack(ctx, { ...archive, directory: String(index), maxBytes: 10e9 }),
  )
  const below: string[] = []
  for (const layer of unpacked) {
    await snapshots.commit(ctx, await layer, below)
    below.unshift((await layer).directory)
  }
  await snapshots.sync()
}

async function tarAll(archives: readonly Archive[], target: string): Promise<void> {
  for (const [index, { blobPath }] of archives.entries()) {
    const directory = join(target, String(index))
    mkdirSync(directory, { recursive: true })
    execFileSync('sh', ['-c', 'gzip -dc "$0" | tar -x --numeric-owner -C "$1"', blobPath, directory])
  }
  execFileSync('sync', ['-f', target])
}

/** A tree of text-like files, the sizes of which vary as in images: many small ones, few large. */
async function makeArchive(index: number): Promise<Archive> {
  const source = join(dir, `source-${index}`)
  const words = Buffer.from(Array.from({ length: 600_000 }, word).join(' '))
  const mean = BYTES_PER_LAYER / FILES_PER_LAYER
  for (let number = 0; number < FILES_PER_LAYER; number++) {
    const directory = join(source, `usr/share/part-${index}`, `${number % 40}`, `${number % 900}`)
    mkdirSync(directory, { recursive: true })
    const size = Math.min(words.length, Math.round(-mean * Math.log(1 - Math.random())))
    const from = Math.floor(Math.random() * (words.length - size))
    writeFileSync(join(directory, `file-${number}.txt`), words.subarray(from, from + size))
  }
  const blobPath = join(dir, `layer-${index}.tar.gz`)
  execFileSync('sh', ['-c', 'tar -c -C "$0" . | gzip > "$1"', source, blobPath])
  const hash = createHash('sha256')
  await pipeline(createReadStream(blobPath), createGunzip(), hash)
  return { blobPath, diffId: `sha256:${hash.digest('hex')}` }
}

function word(): string {
  return Math.floor(Math.random() * 40_000).toString(36)
}

async function timed(work: () => Promise<void>): Promise<number> {
  execFileSync('sync')
  const start = performance.now()
  await work()
  return Math.round(performance.now() - start)
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!
}
