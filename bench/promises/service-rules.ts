import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '../../src/lib/log.ts'
import { startKernelThread } from '../../src/linux/kernel-thread.ts'
import { createNetwork, type ServiceRule } from '../../src/network/index.ts'
import { type Chain, renderChange } from '../../src/network/iptables-text.ts'
import { serviceRenderer } from '../../src/network/services/service-chains.ts'
import type { Bench, Row } from '../support/promise.ts'
import { show, summary, timed } from '../support/stats.ts'

const ENDPOINTS = 10
const ctx = { signal: new AbortController().signal, log: silentLogger }
const spec = { bridge: 'raind0', subnet: '10.166.0.0/16', gateway: '10.166.0.254' }
const ours = { bridge: 'raind0', subnet: '10.96.0.0/16' }
/** The chains that iptables-restore alone makes: as of a second daemon. */
const theirs = { bridge: 'bare0', subnet: '10.97.0.0/16', bridges: ['bare0'] }

/**
 * Rules of Services, from the driver's call to the kernel, beside an iptables-restore of the very same text: one endpoint
 * of 100 Services with 10 endpoints each is replaced, and 1,000 with 10 each are set where there were none.
 */
export const serviceRules: Bench = {
  name: 'service-rules',
  async run({ scale }) {
    const dir = mkdtempSync('/var/tmp/condenser-bench-')
    try {
      await using thread = startKernelThread(new URL('../../src/daemon/kernel-thread.ts', import.meta.url))
      const network = createNetwork({ thread, netnsDir: join(dir, 'netns'), log: silentLogger, services: ours })
      await network.ensureBridge(ctx, spec)
      await network.restore(ctx, [spec], new Map())
      await network.enforce()
      const set = (services: readonly ServiceRule[]) => network.setServices(ctx, services)
      const bare = bareRestore()
      await set([])

      const [all, bareAll]: [number[], number[]] = [[], []]
      for (let round = 0; round < Math.max(1, 3 * scale); round++) {
        all.push(await timed(() => set(services('ours', 1000))))
        await set([])
        bareAll.push(await timed(async () => bare(services('bare', 1000))))
        bare([])
      }
      const [one, bareOne]: [number[], number[]] = [[], []]
      await set(services('ours', 100))
      bare(services('bare', 100))
      for (let round = 0; round < Math.max(2, 10 * scale); round++) {
        // The first change after somebody else's looks at the rules that are there.
        await set(services('ours', 100, 2 * round + 1))
        one.push(await timed(() => set(services('ours', 100, 2 * round + 2))))
        bareOne.push(await timed(async () => bare(services('bare', 100, round + 1))))
      }
      await set([])
      bare([])
      await network.removeBridge(ctx, spec)
      return [
        row('one endpoint of 100 Services of 10, to the kernel', 50, one, bareOne),
        row('1,000 Services of 10 endpoints, to the kernel', 1000, all, bareAll),
      ]
    } finally {
      rmSync(dir, { recursive: true })
    }
  },
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

function row(promise: string, target: number, times: readonly number[], bareTimes: readonly number[]): Row {
  const [median, bare] = [summary(times), summary(bareTimes)]
  const note = `${show(median)}, iptables-restore alone ${show(bare)}: ${(median.p50 / bare.p50).toFixed(2)} x`
  return { promise, value: median.p50, target, unit: 'ms', note }
}
