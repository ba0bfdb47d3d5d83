import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../lib/ctx.ts'
import type { Fault } from '../model/finding.ts'
import type { NetworkSpec } from '../model/network.ts'
import { finishRemoval, networkLock } from './create-network.ts'
import type { Deps } from './deps.ts'
import { syncSandbox } from './sandbox.ts'

const BETWEEN_LOOKS_MS = 250
const LOOKS = 12

/** Where the bridges are not as their networks say. Each network is looked at, and settled, under its lock. */
export async function faultsOfNetworks(
  ctx: Ctx,
  deps: Deps,
  settle: (faults: readonly Fault[]) => Promise<void>,
): Promise<void> {
  for (const name of deps.store.read((tx) => tx.list('Network').map(({ metadata }) => metadata.name))) {
    using _lock = await deps.locks.hold(ctx, networkLock(name))
    const network = deps.store.read((tx) => tx.get('Network', name))
    if (network === undefined) continue
    const subject = `network ${name}`
    if (network.status.removingAt !== undefined) {
      const mend = () => finishRemoval(ctx, deps, network)
      await settle([{ part: 'network', subject, problem: 'its removal did not come to its end', mend }])
      continue
    }
    const problems = await deps.network.inspectBridge(ctx, network.spec)
    await settle(
      problems.map(
        (problem): Fault => ({
          part: 'network',
          subject,
          problem,
          mend: () => mendBridge(ctx, deps, name, network.spec),
        }),
      ),
    )
  }
}

/** Makes the bridge what it should be, and what is attached to it ports of it again. */
export async function mendBridge(ctx: Ctx, deps: Deps, name: string, spec: NetworkSpec): Promise<void> {
  await deps.network.ensureBridge(ctx, spec)
  const attached = deps.store
    .read((tx) => tx.list('Sandbox'))
    .filter(({ spec, status }) => status.netnsPath !== undefined && spec.attachments.some((it) => it.network === name))
  for (const sandbox of attached) await syncSandbox(ctx, deps, sandbox)
}

/** Where the host's rules are not what the networks and published ports ask for, and ports that lead to nobody. */
export async function faultsOfRules(ctx: Ctx, deps: Deps): Promise<Fault[]> {
  const networks = deps.store.read((tx) => tx.list('Network').map(({ spec }) => spec))
  const ports = await lastingStrayPorts(ctx, deps, networks)
  return [
    ...ports.map(
      (name): Fault => ({
        part: 'network',
        subject: `link ${name}`,
        problem: 'it is a port of a bridge of ours, and leads to no container',
        mend: () => deps.network.removePort(ctx, name),
      }),
    ),
    ...(await deps.network.inspectRules(ctx)).map(
      (problem): Fault => ({
        part: 'rules',
        subject: 'firewall',
        problem,
        mend: () => deps.network.mendRules(ctx),
      }),
    ),
  ]
}

/** The kernel takes a namespace apart in its own time, and the links in it with it. */
async function lastingStrayPorts(ctx: Ctx, { network }: Deps, networks: readonly NetworkSpec[]): Promise<string[]> {
  let found = await network.strayPorts(ctx, networks)
  for (let looks = 0; found.length > 0 && looks < LOOKS; looks++) {
    await sleep(BETWEEN_LOOKS_MS)
    const still = new Set(await network.strayPorts(ctx, networks))
    found = found.filter((name) => still.has(name))
  }
  return found
}
