import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Ctx } from '../lib/ctx.ts'
import { type Container, containerState, isAlive, isOfPod } from '../model/container.ts'
import type { Fault } from '../model/finding.ts'
import type { Sandbox } from '../model/network.ts'
import type { Deps } from './deps.ts'
import { settleContainer } from './recover.ts'
import { ownsSandbox, portRules, sandboxKey, syncSandbox, withBridges } from './sandbox.ts'
import { tearDown } from './tear-down.ts'

/**
 * Where one container's record and what is there of it in the kernel and on disk disagree. The caller holds its lock, and
 * nothing that is due after its end is under way.
 */
export async function faultsOfContainer(ctx: Ctx, deps: Deps, container: Container): Promise<Fault[]> {
  const { metadata, spec, status } = container
  const sandbox = deps.store.read((tx) => tx.getByUid('Sandbox', spec.sandboxId))
  const fault = (part: Fault['part'], problem: string, remedy: Pick<Fault, 'mend' | 'advice'>): Fault => ({
    part,
    subject: `container ${metadata.name}`,
    problem,
    containerId: metadata.uid,
    ...remedy,
  })
  const settle = { mend: () => settleContainer(ctx, deps, container) }
  // Of a pod's container that has ended, the sandbox may have gone before it.
  if (sandbox === undefined && (!isOfPod(container) || isAlive(status))) {
    return [fault('container', 'it has no sandbox', { advice: 'remove the container and create it again' })]
  }
  const state = containerState(status)
  if (state === 'creating') return [fault('container', 'it was half made', settle)]
  if (state === 'removing') return [fault('container', 'its removal did not come to its end', settle)]
  const files = filesOf(deps, container)
    .filter((path) => !existsSync(path))
    .map((path) => fault('file', `${path} is gone`, { advice: 'what it had written is lost: remove and create it' }))
  if (isAlive(status)) return [...files, ...(await faultsOfRunning(ctx, deps, container, sandbox!, fault))]
  if (status.setUpAt !== undefined) {
    return [...files, fault('container', 'it has ended, and what it used was not taken down', settle)]
  }
  const own = ownsSandbox(container, sandbox) ? sandbox : undefined
  const left = await leftovers(deps, container, own)
  return [...files, ...left.map(([part, problem]) => fault(part, problem, { mend: () => clear(ctx, deps, container) }))]
}

type MakeFault = (part: Fault['part'], problem: string, remedy: Pick<Fault, 'mend' | 'advice'>) => Fault

async function faultsOfRunning(
  ctx: Ctx,
  deps: Deps,
  container: Container,
  sandbox: Sandbox,
  fault: MakeFault,
): Promise<Fault[]> {
  const { runtime, network, snapshots, paths } = deps
  const { uid } = container.metadata
  const { pid, pidStartTime } = container.status
  const restart = { advice: `it runs on; "raind container restart ${container.metadata.name}" mends it` }
  const process = runtime.inspect(uid, paths.bundle(uid), { pid: pid!, pidStartTime: pidStartTime! })
  if (process.gone !== undefined) {
    return [fault('process', process.gone, { mend: () => settleContainer(ctx, deps, container) })]
  }
  const mounts = [paths.rootfs(uid), ...(container.spec.ipcMode === 'shareable' ? [paths.shm(uid)] : [])]
  const faults = [
    ...process.faults.map((problem) => fault('process', problem, restart)),
    ...mounts
      .filter((path) => !snapshots.isMounted(path))
      .map((path) => fault('mount', `nothing is mounted at ${path} any more`, restart)),
  ]
  if (!ownsSandbox(container, sandbox)) return faults
  const key = sandboxKey(sandbox)
  const ports = portRules(deps, sandbox, sandbox.status.ports ?? [])
  const networked = sandbox.spec.networkMode !== 'host'
  const links = networked ? await network.inspect(ctx, key, withBridges(deps, sandbox)) : []
  const mendLinks = async () => {
    await network.rebindNetns(ctx, key, pid!)
    await syncSandbox(ctx, deps, sandbox)
  }
  return [
    ...faults,
    ...links.map((problem) => fault('network', problem, { mend: mendLinks })),
    ...(isDeepStrictEqual(network.portsOf(key), ports)
      ? []
      : [fault('rules', 'other ports are published than it has', { mend: () => network.setPorts(ctx, key, ports) })]),
  ]
}

/** What there should be nothing of, for one that is down. */
async function leftovers(
  deps: Deps,
  container: Container,
  sandbox: Sandbox | undefined,
): Promise<[Fault['part'], string][]> {
  const { runtime, network, snapshots, paths, store } = deps
  const { uid } = container.metadata
  const bundle = paths.bundle(uid)
  const found: [Fault['part'], string][] = []
  for (const path of [paths.rootfs(uid), paths.shm(uid)]) {
    if (snapshots.isMounted(path)) found.push(['mount', `${path} is still mounted`])
  }
  for (const problem of runtime.leftovers(uid, bundle)) found.push(['process', problem])
  if (existsSync(bundle)) found.push(['file', `${bundle} is still there`])
  if (sandbox === undefined) return found
  const key = sandboxKey(sandbox)
  const leases = store.read((tx) => tx.list('PortLease', { ownerUid: sandbox.metadata.uid }))
  if ((await network.listNetns()).includes(key)) found.push(['network', 'its network namespace is still there'])
  if (network.portsOf(key).length > 0) found.push(['rules', 'its ports are still published'])
  if (leases.length > 0) found.push(['lease', `it holds ${leases.length} host ports`])
  return found
}

/** As after its end, whatever the record says of it. */
async function clear(ctx: Ctx, deps: Deps, container: Container): Promise<void> {
  deps.store.write((tx) => tx.putStatus('Container', container.metadata.uid, { setUpAt: Date.now() }))
  await tearDown(ctx, deps, container)
}

function filesOf({ paths }: Deps, { metadata, spec }: Container): string[] {
  return spec.pod?.role === 'infra' ? [] : [paths.upper(metadata.uid), paths.work(metadata.uid)]
}
