import { existsSync } from 'node:fs'
import type { Ctx } from '../lib/ctx.ts'
import { type Container, containerState, isAlive } from '../model/container.ts'
import type { Fault } from '../model/finding.ts'
import type { Sandbox } from '../model/network.ts'
import { unmountSharedMemory } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { settleContainer } from './recover.ts'
import { removeBundle } from './remove-bundle.ts'
import { sandboxKey, syncSandbox, withBridges } from './sandbox.ts'
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
  if (sandbox === undefined) {
    return [fault('container', 'it has no sandbox', { advice: 'remove the container and create it again' })]
  }
  const state = containerState(status)
  if (state === 'creating') return [fault('container', 'it was half made', settle)]
  if (state === 'removing') return [fault('container', 'its removal did not come to its end', settle)]
  const files = filesOf(deps, container)
    .filter((path) => !existsSync(path))
    .map((path) => fault('file', `${path} is gone`, { advice: 'what it had written is lost: remove and create it' }))
  if (isAlive(status)) return [...files, ...(await faultsOfRunning(ctx, deps, container, sandbox, fault))]
  if (status.setUpAt !== undefined) {
    return [...files, fault('container', 'it has ended, and what it used was not taken down', settle)]
  }
  const left = await leftovers(deps, container, sandbox)
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
  const networked = sandbox.spec.networkMode !== 'host'
  const links = networked ? await network.inspect(ctx, sandboxKey(sandbox), withBridges(deps, sandbox)) : []
  const mendLinks = async () => {
    await network.rebindNetns(ctx, sandboxKey(sandbox), pid!)
    await syncSandbox(ctx, deps, sandbox)
  }
  return [
    ...process.faults.map((problem) => fault('process', problem, restart)),
    ...mounts
      .filter((path) => !snapshots.isMounted(path))
      .map((path) => fault('mount', `nothing is mounted at ${path} any more`, restart)),
    ...links.map((problem) => fault('network', problem, { mend: mendLinks })),
  ]
}

/** What there should be nothing of, for one that is down. */
async function leftovers(deps: Deps, container: Container, sandbox: Sandbox): Promise<[Fault['part'], string][]> {
  const { runtime, network, paths, store } = deps
  const { uid } = container.metadata
  const bundle = paths.bundle(uid)
  const netns = await network.listNetns()
  const ports = store.read((tx) => tx.list('PortLease', { ownerUid: sandbox.metadata.uid }))
  const found: [Fault['part'], string][] = [
    ...[paths.rootfs(uid), paths.shm(uid)]
      .filter(deps.snapshots.isMounted)
      .map((path) => ['mount', `${path} is still mounted`]),
    ...runtime.leftovers(uid, bundle).map((problem) => ['process', problem]),
    ...(existsSync(bundle) ? [['file', `${bundle} is still there`]] : []),
    ...(netns.includes(sandboxKey(sandbox)) ? [['network', 'its network namespace is still there']] : []),
    ...(ports.length > 0 ? [['lease', `it holds ${ports.length} host ports`]] : []),
  ] as [Fault['part'], string][]
  return found
}

/** As after its end, whatever the record says of it. */
async function clear(ctx: Ctx, deps: Deps, container: Container): Promise<void> {
  const { uid } = container.metadata
  deps.store.write((tx) => tx.putStatus('Container', uid, { setUpAt: Date.now() }))
  await tearDown(ctx, deps, container)
  unmountSharedMemory(deps.paths.shm(uid))
  removeBundle(deps, uid)
}

function filesOf({ paths }: Deps, { metadata }: Container): string[] {
  return [paths.upper(metadata.uid), paths.work(metadata.uid)]
}
