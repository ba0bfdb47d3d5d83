/**
 * Rules of Services, from the driver's call to the kernel, beside an iptables-restore of the very same text: one endpoint
 * of 100 Services with 10 endpoints each is replaced, and 1,000 with 10 each are set where there were none. Prints
 * medians; the ratio is what the driver adds.
 *
 *     sudo scripts/node.sh bench/service-rules.ts [--rounds 10] [--large-rounds 2]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { silentLogger } from '../src/lib/log.ts'
import { startKernelThread } from '../src/linux/kernel-thread.ts'
import { createNetwork, type ServiceRule } from '../src/network/index.ts'
import { type Chain, renderChange } from '../src/network/iptables-text.ts'
import { serviceRenderer } from '../src/network/services/service-chains.ts'
import { runInOwnNamespaces } from '../test/support/namespace.ts'
import { summary, timed } from './support/stats.ts'

runInOwnNamespaces(import.meta.filename)

const ENDPOINTS = 10
const ctx = { signal: new AbortController().signal, log: silentLogger }
const spec = { bridge: 'raind0', subnet: '10.166.0.0/16', gateway: '10.166.0.254' }
const ours = { bridge: 'raind0', subnet: '10.96.0.0/16' }
/** The chains that iptables-restore alone makes: as of a second daemon. */
const theirs = { bridge: 'bare0', subnet: '10.97.0.0/16', bridges: ['bare0'] }

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, 'large-rounds': { type: 'string', default: '2' } },
})
const dir = mkdtempSync('/var/tmp/condenser-bench-')
try {
  await using thread = startKernelThread(new URL('../src/daemon/kernel-thread.ts', import.meta.url))
  const network = createNetwork({ thread, netnsDir: join(dir, 'netns'), log: silentLogger, services: ours })
  await network.ensureBridge(ctx, spec)
  await network.restore(ctx, [spec], new Map())
  await network.enforce()
  const set = (services: readonly ServiceRule[]) => network.setServices(ctx, services)
  const bare = bareRestore()
  await set([])

  const [all, bareAll]: [number[], number[]] = [[], []]
  for (let round = 0; round < Number(values['large-rounds']); round++) {
    all.push(await timed(() => set(services('ours', 1000))))
    await set([])
    bareAll.push(await timed(async () => bare(services('bare', 1000))))
    bare([])
  }
  print('1,000 Services of 10 endpoints', 1000, all, bareAll)

  const [one, bareOne]: [number[], number[]] = [[], []]
  await set(services('ours', 100))
  bare(services('bare', 100))
  for (let round = 0; round < Number(values.rounds); round++) {
    // The first change after somebody else's looks at the rules that are there.
    await set(services('ours', 100, 2 * round + 1))
    one.push(await timed(() => set(services('ours', 100, 2 * round + 2))))
    bareOne.push(await timed(async () => bare(services('bare', 100, round + 1))))
  }
  print('one endpoint of 100 Services', 50, one, bareOne)
} finally {
  rmSync(dir, { recursive: true })
}

function services(uid: string, count: number, replaced = 0): ServiceRule[] {
  return Array.from({ length: count }, (_, index) => ({
    uid: `${uid}-${index}`,
    namespace: 'default',
    name: `service-${index}`,
    portName: 'http',
    protocol: 'tcp',
    clusterIp: `10.96.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    port: 80,
    endpoints: Array.from({ length: ENDPOINTS }, (_, endpoint) => ({
      address: `10.166.${index % 250}.${Math.floor(index / 250) * ENDPOINTS + endpoint + 1}`,
      port: index === 0 && endpoint === 0 ? 8080 + replaced : 8080,
    })),
  }))
}

/** Puts Services in force with iptables-restore alone. */
function bareRestore(): (services: readonly ServiceRule[]) => void {
  const render = serviceRenderer()
  let before: readonly Chain[] = []
  return (services) => {
    const chains = render(services, theirs)
    execFileSync('iptables-restore', ['--noflush', '--wait', '10'], { input: renderChange(before, chains) })
    before = chains
  }
}

function print(name: string, targetMs: number, times: readonly number[], bareTimes: readonly number[]): void {
  const [median, bareMedian] = [summary(times).p50, summary(bareTimes).p50]
  console.log(
    JSON.stringify({
      name,
      ms: Math.round(median),
      targetMs,
      restoreMs: Math.round(bareMedian),
      ratio: Number((median / bareMedian).toFixed(2)),
      all: times.map(Math.round),
    }),
  )
}
