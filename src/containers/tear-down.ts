import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import { forEachLimited } from '../lib/for-each-limited.ts'
import { type Container, isAlive } from '../model/container.ts'
import { unmountSharedMemory } from '../runtime/index.ts'
import type { Deps } from './deps.ts'
import { releasePorts } from './ports.ts'
import { recordExit } from './record-exit.ts'
import { removeBundle } from './remove-bundle.ts'
import { ownsSandbox, tearDownSandbox } from './sandbox.ts'

/** By SIGKILL. */
const KILLED = 137

/**
 * Takes out of the kernel what a start has put there, and ends the process if it still runs. Also for a container half
 * set up or half torn down; does nothing for one that is down.
 * The record (`setUpAt`) goes last, so that what fails is tried again. The caller holds the container's lock.
 */
export async function tearDown(ctx: Ctx, deps: Deps, container: Container): Promise<void> {
  const { store, snapshots, runtime, rotation, paths } = deps
  const id = container.metadata.uid
  const current = store.read((tx) => tx.getByUid('Container', id))
  if (current?.status.setUpAt === undefined) return
  const inSandbox = store.read((tx) => tx.getByUid('Sandbox', current.spec.sandboxId))
  const sandbox = ownsSandbox(current, inSandbox) ? inSandbox : undefined

  rotation.leave(id)
  failpoint('stop.runtime')
  await runtime.delete(ctx, id, paths.bundle(id))
  // The runtime does not tell of an end that it was asked for.
  if (isAlive(current.status)) recordExit(deps, { id, exitCode: KILLED, oomKilled: false, finishedAt: Date.now() })
  failpoint('stop.unmount')
  const unmountAll = async () => {
    await snapshots.unmount(paths.rootfs(id))
    unmountSharedMemory(paths.shm(id))
  }
  const leaveNetwork = async () => {
    if (sandbox !== undefined) await tearDownSandbox(ctx, deps, sandbox)
  }
  await forEachLimited(2, [unmountAll, leaveNetwork], (step) => step())
  failpoint('stop.bundle')
  removeBundle(deps, id)
  failpoint('stop.record')
  store.write((tx) => {
    if (sandbox !== undefined) {
      releasePorts(tx, sandbox.metadata.uid)
      tx.putStatus('Sandbox', sandbox.metadata.uid, { netnsPath: undefined, hostLinks: undefined })
    }
    tx.putStatus('Container', id, { setUpAt: undefined, pid: undefined, pidStartTime: undefined, pausedAt: undefined })
  })
}
