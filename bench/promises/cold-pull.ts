import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type OciImage, ociImage } from '../../test/support/oci-image.ts'
import { startHost } from '../support/host.ts'
import { startPodman } from '../support/podman.ts'
import type { Bench, BenchOptions, Row } from '../support/promise.ts'
import { summary, timed } from '../support/stats.ts'

const run = promisify(execFile)
const ROUNDS = 3
const LAYERS = 3
/** Unpacked, and of files as an image has them: many small ones, and text and programs by turns. */
const IMAGE_BYTES = 764 * 1024 * 1024
const IMAGE_FILES = 41_000
const SOURCE = '/usr'

/** A pull from a registry on loopback, against unpacking the same layers by hand, and against podman. */
export const coldPull: Bench = {
  name: 'pull',
  async run(options) {
    const image = ociImage({ layers: layerFiles(options).map((files, index) => ({ content: archive(files, index) })) })
    await using host = await startHost(options, { big: image })
    await using podman = await startPodman()
    const directory = await mkdtemp('/var/tmp/condenser-bench-')
    try {
      const reference = `${host.registry.host}/big:latest`
      const times = { ours: [] as number[], bare: [] as number[], synced: [] as number[], podman: [] as number[] }
      for (let round = 0; round < ROUNDS; round++) {
        const layers = writeLayers(image, join(directory, String(round)))
        execFileSync('sync', ['-f', directory])
        times.bare.push(await timed(() => unpackInSequence(layers)))
        times.synced.push(times.bare.at(-1)! + (await timed(() => run('sync', ['-f', directory]))))
        times.ours.push(await timed(() => pull(host, reference)))
        await host.daemon.api.delete('/v1/images', { image: reference })
        if (podman === undefined) continue
        times.podman.push(await timed(() => podman.pull(reference)))
        await podman.remove(reference)
      }
      return rows(times)
    } finally {
      await rm(directory, { recursive: true })
    }
  },
}

function rows(times: Readonly<Record<'ours' | 'bare' | 'synced' | 'podman', readonly number[]>>): Row[] {
  const [ours, bare, synced] = [times.ours, times.bare, times.synced].map((list) => summary(list).p50) as [
    number,
    number,
    number,
  ]
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  const note = `${seconds(ours)}, all on disk; gzip | tar ${seconds(bare)}, and synced ${seconds(synced)}`
  const floor: Row = { promise: 'cold pull', value: ours / bare, target: 1.2, unit: 'x', note }
  if (times.podman.length === 0) return [{ ...floor, note: `${note}; podman is not installed` }]
  const peer = summary(times.podman).p50
  const faster = { value: peer / ours, target: 2, unit: 'x', atLeast: true } as const
  return [floor, { promise: 'cold pull, faster than podman', ...faster, note: `podman ${seconds(peer)}` }]
}

async function pull({ daemon }: Awaited<ReturnType<typeof startHost>>, reference: string): Promise<void> {
  const { status, text } = await daemon.api.post('/v1/images', { image: reference })
  if (status !== 200) throw new Error(`pull answered ${status}: ${text}`)
}

/** Files of this host, in the given number and size: each is taken if the mean of those taken stays right. */
function layerFiles({ scale }: BenchOptions): readonly (readonly string[])[] {
  const list = execFileSync('find', [SOURCE, '-xdev', '-type', 'f', '-readable', '-printf', '%s %p\\0'], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  const mean = IMAGE_BYTES / IMAGE_FILES
  const taken: string[] = []
  let bytes = 0
  for (const entry of list.split('\0').filter(Boolean)) {
    const space = entry.indexOf(' ')
    const size = Number(entry.slice(0, space))
    if (taken.length >= IMAGE_FILES * scale) break
    // Too big a file would leave too little for the others.
    if (bytes + size > (taken.length + 1) * mean + 64 * 1024) continue
    bytes += size
    taken.push(entry.slice(space + 1))
  }
  const perLayer = Math.ceil(taken.length / LAYERS)
  return Array.from({ length: LAYERS }, (_, layer) => taken.slice(layer * perLayer, (layer + 1) * perLayer))
}

function archive(files: readonly string[], index: number): Buffer {
  const transform = `s,^/*,layer-${index}/,`
  return execFileSync('tar', ['-c', '--transform', transform, '-P', '--no-recursion', '--null', '-T', '-'], {
    input: files.join('\0'),
    maxBuffer: 2e9,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

function writeLayers(image: OciImage, directory: string): { file: string; target: string }[] {
  mkdirSync(directory)
  return image.layers.map(({ digest }, index) => {
    const file = join(directory, `${index}.tar.gz`)
    const target = join(directory, String(index))
    writeFileSync(file, image.blobs.get(digest)!)
    mkdirSync(target)
    return { file, target }
  })
}

async function unpackInSequence(layers: readonly { file: string; target: string }[]): Promise<void> {
  for (const { file, target } of layers) {
    await run('sh', ['-c', 'gzip -dc "$0" | tar -x --numeric-owner -C "$1"', file, target])
  }
}
