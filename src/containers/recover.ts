import type { Ctx } from '../lib/ctx.ts'
import { forEachLimited } from '../lib/for-each-limited.ts'
import { type Container, containerState, isAlive } from '../model/container.ts'
import { ensureBridges, finishRemovals } from './create-network.ts'
import type { Deps } from './deps.ts'
import { recordExit } from './record-exit.ts'
import { removeContainer } from './remove.ts'
import { scheduleAtBoot } from './restart-due.ts'
import { ownsSandbox, portRules, sandboxKey, syncSandbox } from './sandbox.ts'
import { findStrays } from './strays.ts'
import { tearDown } from './tear-down.ts'
import { recoverVolumes } from './volumes.ts'

const PARALLEL = 16

/**
 * Brings records and kernel into agreement after any end of the daemon. What it relies on:
 *
 * 1. A record is written before the first side effect of what it owns, and deleted after the last.
 * 2. A pid is recorded before its process may run, with its start time and the boot it belongs to.
 * 3. `setUpAt` is on every container that may have anything in the kernel.
 *
 * Running containers are adopted and not touched; those that ended meanwhile get their true exit code; what was half
 * made or half removed is removed; directories and namespaces without a record go.
 */
export async function recoverContainers(ctx: Ctx, deps: Deps): Promise<void> {
  await ensureBridges(ctx, deps)
  const containers = deps.store.read((tx) => tx.list('Container'))
  await forEachLimited(PARALLEL, containers, async (container) => {
    using _lock = await deps.locks.hold(ctx, container.metadata.uid)
    try {
      await recoverContainer(ctx, deps, container)
    } catch (error) {
      deps.log.error('recovery of a container failed; it is tried again at the next start of the daemon', {
        containerId: container.metadata.uid,
        error,
      })
    }
  })
  await restoreNetworks(ctx, deps)
  await finishRemovals(ctx, deps)
  await recoverVolumes(ctx, deps)
  if (deps.store.isRestored) deps.log.warn('nothing is removed that no record names: "raind system check" tells of it')
  else await removeStrays(ctx, deps)
}

async function recoverContainer(ctx: Ctx, deps: Deps, container: Container): Promise<void> {
  if ((await settleContainer(ctx, deps, container)) === 'ended') scheduleAtBoot(deps, container.metadata.uid)
}

/** Brings one container's record and the kernel into agreement; the caller holds its lock. */
export async function settleContainer(
  ctx: Ctx,
  deps: Deps,
  container: Container,
): Promise<'runs' | 'ended' | 'removed'> {
  const { metadata, status, spec } = container
  const remove = async (volumes: boolean) => {
    await removeContainer(ctx, deps, metadata.uid, { volumes })
    return 'removed' as const
  }
  const state = containerState(status)
  if (state === 'creating') return await remove(true)
  if (state === 'removing') return await remove(false)
  if (status.pid !== undefined && (await adopt(ctx, deps, container))) return 'runs'
  if (spec.autoRemove && status.startedAt !== undefined) return await remove(true)
  await tearDown(ctx, deps, container)
  return 'ended'
}

/** True if its process still runs; else its end has been recorded. */
async function adopt(ctx: Ctx, deps: Deps, { metadata, status }: Container): Promise<boolean> {
  const { uid: id } = metadata
  if (status.bootId !== deps.bootId) {
    const message = 'the host was restarted while the container ran'
    recordExit(deps, { id, exitCode: 255, oomKilled: false, finishedAt: Date.now(), reason: 'HostRestarted', message })
    return false
  }
  const bundle = deps.paths.bundle(id)
  const found = await deps.runtime.recover(ctx, { id, bundle, pid: status.pid!, pidStartTime: status.pidStartTime! })
  if (found.state === 'running' && status.startedAt !== undefined) {
    const pausedAt = found.paused ? (status.pausedAt ?? Date.now()) : undefined
    if (pausedAt !== status.pausedAt) deps.store.write((tx) => tx.putStatus('Container', id, { pausedAt }))
    deps.rotation.follow(id, deps.paths.log(id), () => deps.runtime.reopenLog(bundle))
    return true
  }
  // A process that still waits for its start belongs to a start that was cut off: tearDown ends it.
  if (found.state === 'exited') recordExit(deps, { id, ...found })
  if (found.state === 'lost') {
    const message = 'the process ended while nothing watched it: its monitor had been killed'
    recordExit(deps, { id, exitCode: 255, oomKilled: false, finishedAt: Date.now(), reason: 'LostExitCode', message })
  }
  return false
}

/**
 * After `recoverContainers`, for what runs: a connect or disconnect may have been cut off between its record and its
 * links. Not before the daemon answers: it takes half a ms each.
 */
export async function recoverLinks(ctx: Ctx, deps: Deps): Promise<void> {
  const running = deps.store.read((tx) => tx.list('Container').filter(({ status }) => isAlive(status)))
  await forEachLimited(PARALLEL, running, async ({ metadata }) => {
    using _lock = await deps.locks.hold(ctx, metadata.uid)
    const { container, sandbox } = deps.store.read((tx) => {
      const container = tx.getByUid('Container', metadata.uid)
      return { container, sandbox: container && tx.getByUid('Sandbox', container.spec.sandboxId) }
    })
    if (container === undefined || !isAlive(container.status) || sandbox?.status.netnsPath === undefined) return
    if (!ownsSandbox(container, sandbox)) return
    await syncSandbox(ctx, deps, sandbox).catch((error) =>
      deps.log.error('the links of a container could not be looked at', { containerId: metadata.uid, error }),
    )
  })
}

async function restoreNetworks(ctx: Ctx, deps: Deps): Promise<void> {
  const { networks, sandboxes } = deps.store.read((tx) => ({
    networks: tx
      .list('Network')
      .filter(({ status }) => status.removingAt === undefined)
      .map(({ spec }) => spec),
    sandboxes: tx.list('Sandbox').filter(({ status }) => status.netnsPath !== undefined),
  }))
  const ports = new Map(
    sandboxes.map((sandbox) => [sandboxKey(sandbox), portRules(deps, sandbox, sandbox.status.ports ?? [])]),
  )
  await deps.network.restore(ctx, networks, ports)
}

/** What cannot be removed is tried again at the next start. */
async function removeStrays(ctx: Ctx, deps: Deps): Promise<void> {
  for (const { subject, problem, mend } of await findStrays(ctx, deps, 'unclaimed')) {
    deps.log.info('removing what no record names', { subject, problem })
    await mend?.().catch((error) => deps.log.error('what no record names could not be removed', { subject, error }))
  }
}
