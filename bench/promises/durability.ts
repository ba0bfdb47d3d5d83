import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failpoint } from '../../src/lib/failpoint.ts'
import { create, remove, start, startHost } from '../support/host.ts'
import type { Bench } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

/** Makes fsync(2) and its like do nothing; of Debian's package libeatmydata1. */
const NO_SYNC = '/usr/lib/x86_64-linux-gnu/libeatmydata.so.1'
const LOOPS = 1_000_000

/** What a start pays for being on disk when it is answered, and for the points at which the crash tests kill it. */
export const durability: Bench = {
  name: 'durability',
  async run(options) {
    if (!existsSync(NO_SYNC)) {
      console.error('durability: skipped, libeatmydata1 is not installed')
      return []
    }
    const directory = await mkdtemp('/var/tmp/condenser-bench-')
    const trace = join(directory, 'trace')
    await using synced = await startHost(options)
    await using unsynced = await startHost(options, {}, { LD_PRELOAD: NO_SYNC })
    await using traced = await startHost(options, {}, { CONDENSER_FAILPOINT_LOG: trace })
    const [withSync, without]: [number[], number[]] = [[], []]
    for (let index = 0; index < 100 * options.scale; index++) {
      for (const [host, times] of [
        [synced, withSync],
        [unsynced, without],
      ] as const) {
        const id = await create(host)
        times.push(await timed(() => start(host, id)))
        await remove(host, id)
      }
    }
    const id = await create(traced)
    const before = await linesOf(trace)
    await start(traced, id)
    const passed = (await linesOf(trace)) - before
    await remove(traced, id)
    await rm(directory, { recursive: true })
    const pointMs = (await timed(async () => passFailpoint(LOOPS))) / LOOPS
    const [us, them] = [summary(withSync), summary(without)]
    const costMs = Math.max(0, us.p50 - them.p50) + passed * pointMs
    const points = `${passed} failpoints of ${(pointMs * 1e6).toFixed(0)} ns`
    return [
      {
        promise: 'share of a start that durability and failpoints take',
        value: costMs / us.p50,
        target: 0.05,
        unit: 'x',
        note: `start ${show(us)}, without fdatasync ${show(them)}; ${points}`,
      },
    ]
  },
}

function passFailpoint(times: number): void {
  for (let index = 0; index < times; index++) failpoint('bench')
}

async function linesOf(file: string): Promise<number> {
  return (await readFile(file, 'utf8')).split('\n').length
}
