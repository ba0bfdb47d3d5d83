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
/** For a layer each. */
const SOURCES = ['/usr/share/doc', '/usr/share/locale', '/usr/lib/python3']
const LAYER_BYTES = 66_000_000

/** A pull from a registry on loopback, against unpacking the same layers by hand, and against podman. */
export const coldPull: Bench = {
  name: 'pull',
  async run(options) {
    const image = ociImage({ layers: SOURCES.map((source, index) => ({ content: archive(source, index, options) })) })
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

/** Files of this host, of about a third of the image's size. */
function archive(source: string, index: number, { scale }: BenchOptions): Buffer {
  const list = execFileSync('sh', ['-c', 'find "$0" -type f -printf "%s %p\\n" 2>/dev/null || true', source], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  const names: string[] = []
  let bytes = 0
  for (const line of [...list.split('\n')].filter(Boolean)) {
    const space = line.indexOf(' ')
    if (bytes > LAYER_BYTES * scale) break
    bytes += Number(line.slice(0, space)) + 1024
    names.push(line.slice(space + 1))
  }
  const transform = `s,^/*,layer-${index}/,`
  return execFileSync('tar', ['-c', '--transform', transform, '-P', '--no-recursion', '-T', '-'], {
    input: names.join('\n'),
    maxBuffer: 1e9,
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
