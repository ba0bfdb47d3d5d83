import { mkdirSync } from 'node:fs'
import { type Ctx, detached } from '../lib/ctx.ts'
import { type StatusCode, StatusError, toStatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { assertCanStart, type Container, isOfPod } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import type { PortMapping, Sandbox } from '../model/network.ts'
import { exitCodeOfFailure, mountSharedMemory } from '../runtime/index.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import { buildOciSpec } from './build-oci-spec.ts'
import type { Deps } from './deps.ts'
import { writeEtcFiles } from './etc-files.ts'
import { findOwn } from './find.ts'
import { type JoinedNamespaces, joinNamespaces } from './joined-namespaces.ts'
import { assertPortsAreFree, chooseHostPorts, leasePorts } from './ports.ts'
import { awaitVolumes } from './prepare-volumes.ts'
import { joinSandbox, ownsSandbox, publishPorts, setUpSandbox } from './sandbox.ts'
import { tearDown } from './tear-down.ts'

/** What docker reports where it was not the command that failed (docker run, "Exit status"). */
const START_FAILED = 128

/**
 * Starts a container that was created or has stopped; resolves when its process runs.
 *
 * `setUpAt` is recorded first and owns the mounts, namespaces, rules and processes that follow: whoever finds it on a
 * container without a process (a failed start, the end of the process, the next boot) tears them down.
 *
 * @throws {StatusError} `not_found`, `failed_precondition`, `conflict` (port), `invalid_argument` (the command cannot run)
 */
export async function startContainer(ctx: Ctx, deps: Deps, ref: string): Promise<Container> {
  const { store, locks } = deps
  const id = store.read((tx) => findOwn(tx, ref, 'start')).metadata.uid
  using _lock = await locks.hold(ctx, id)
  return await startHeld(ctx, deps, id)
}

/** `byPolicy`: it has ended, and its restart is due. Else a user asks, and what its policy counts begins anew. */
interface StartOptions {
  readonly byPolicy?: boolean
  /** Its ports are published later, when it takes them from another container. */
  readonly withoutPorts?: boolean
}

/** As `startContainer`, for a caller who holds the container's lock. */
export async function startHeld(
  ctx: Ctx,
  deps: Deps,
  id: string,
  { byPolicy = false, withoutPorts = false }: StartOptions = {},
): Promise<Container> {
  const { store, runtime } = deps
  const begun = performance.now()
  runtime.warmUp()
  const { container, sandbox } = store.read((tx) => load(tx, id))
  assertCanStart(container.metadata.name, container.status)
  await tearDown(ctx, deps, container)
  await awaitVolumes(ctx, deps, container)
  using joined = joinNamespaces(deps, container)
  const publishes = ownsSandbox(container, sandbox) && !withoutPorts
  const ports = publishes ? await chooseHostPorts(store, sandbox) : []
  await assertPortsAreFree(store, ports, sandbox.metadata.uid)

  failpoint('start.record')
  recordSetUp(deps, { container, sandbox, ports, byPolicy })
  try {
    await setUpAndRun(ctx, deps, { container, sandbox, ports, joined, byPolicy })
  } catch (error) {
    throw await abandon(ctx, deps, container, error)
  }
  if (!isOfPod(container)) await store.durable()
  deps.starts.observe((performance.now() - begun) / 1000)
  return store.read((tx) => tx.getByUid('Container', id)) ?? container
}

interface Start {
  readonly container: Container
  readonly sandbox: Sandbox
  readonly ports: readonly PortMapping[]
  readonly joined: JoinedNamespaces
  readonly byPolicy: boolean
}

async function setUpAndRun(
  ctx: Ctx,
  deps: Deps,
  { container, sandbox, ports, joined, byPolicy }: Start,
): Promise<void> {
  const { store, images, snapshots, runtime, paths, rotation, attaching } = deps
  const id = container.metadata.uid
  const rootfs = paths.rootfs(id)
  mkdirSync(rootfs, { recursive: true, mode: 0o700 })
  failpoint('start.mount')
  const layers = images.layerDirectories(container.spec.chainIds)
  if (container.spec.ipcMode === 'shareable') mountSharedMemory(paths.shm(id), container.spec.shmBytes)
  const writable = container.spec.pod?.role === 'infra' ? {} : { upper: paths.upper(id), work: paths.work(id) }
  const mounted = snapshots.mount({ layers, ...writable, target: rootfs })
  const connected = ownsSandbox(container, sandbox) ? setUpSandbox(ctx, deps, sandbox) : joinSandbox(container, sandbox)
  const named = writeEtcFiles(deps, container, sandbox)
  const published = publishPorts(ctx, deps, sandbox, ports)
  // It is waited for below; what fails before that is reported instead.
  published.catch(() => {})
  // When one of them has failed, none is under way any more that would come after the tear-down.
  await Promise.allSettled([mounted, connected, named])
  const [netnsPath] = await Promise.all([connected, mounted, named])
  const spec = buildOciSpec(deps, container, { netnsPath, joined })
  const created = runtime.create(ctx, {
    id,
    bundle: paths.bundle(id),
    spec,
    logFile: paths.log(id),
    tty: container.spec.tty,
    openStdin: container.spec.openStdin,
    stdinOnce: container.spec.stdinOnce ?? false,
  })
  await Promise.allSettled([created, published])
  const { pid, pidStartTime } = await created
  await published
  // The pid is known before the process can end, so that its exit always finds it.
  store.write((tx) => tx.putStatus('Container', id, { pid, pidStartTime, bootId: deps.bootId, startedAt: undefined }))
  attaching.created(id)
  failpoint('start.run')
  await runtime.start(ctx, id, paths.bundle(id))
  recordStarted(deps, container, byPolicy)
  rotation.follow(id, paths.log(id), () => runtime.reopenLog(paths.bundle(id)))
}

function load(tx: ReadTx, id: string): { container: Container; sandbox: Sandbox } {
  const container = tx.getByUid('Container', id)
  const sandbox = container && tx.getByUid('Sandbox', container.spec.sandboxId)
  if (container === undefined || sandbox === undefined) {
    throw new StatusError('not_found', `No such container: "${id}"`)
  }
  return { container, sandbox }
}

function recordSetUp(deps: Deps, { container, sandbox, ports, byPolicy }: Omit<Start, 'joined'>): void {
  const { uid, name } = container.metadata
  deps.store.write((tx) => {
    if (ownsSandbox(container, sandbox)) {
      leasePorts(tx, ports, sandbox.metadata.uid)
      tx.putStatus('Sandbox', sandbox.metadata.uid, { ports, attempt: sandbox.status.attempt + 1 })
    }
    if (byPolicy && tx.getByUid('Container', uid)?.status.nextRestartAt === undefined) {
      throw new StatusError('cancelled', `Container "${name}" is not to be restarted any more`)
    }
    tx.putStatus('Container', uid, { setUpAt: Date.now(), stopRequestedAt: undefined })
  })
}

/** Unless it has ended already, in which case `recordExit` has told all. */
function recordStarted({ store }: Deps, container: Container, byPolicy: boolean): void {
  const { metadata } = container
  store.write((tx) => {
    const status = tx.getByUid('Container', metadata.uid)?.status
    if (status?.pid === undefined) return
    tx.event(containerEvent(container, 'start'))
    tx.putStatus('Container', metadata.uid, {
      startedAt: Date.now(),
      finishedAt: undefined,
      exitCode: undefined,
      oomKilled: undefined,
      reason: undefined,
      message: undefined,
      nextRestartAt: undefined,
      probes: undefined,
      health: container.spec.healthcheck && { status: 'starting', changedAt: Date.now() },
      ...(byPolicy ? { restartCount: status.restartCount + 1 } : { restartCount: 0, restartDelayMs: undefined }),
    })
  })
}

/** Takes back what a failed start has made, and says on the container why it failed. Returns the error to throw. */
async function abandon(ctx: Ctx, deps: Deps, container: Container, cause: unknown): Promise<StatusError> {
  const { uid: id, name } = container.metadata
  const { code, message } = startFault(container, cause)
  const failed = (tx: WriteTx) =>
    tx.putStatus('Container', id, {
      pid: undefined,
      pidStartTime: undefined,
      finishedAt: Date.now(),
      exitCode: code === 'invalid_argument' ? exitCodeOfFailure(message) : START_FAILED,
      reason: 'StartError',
      message,
      // An end before its start was recorded has asked for a restart; who has asked for this start is told of the failure.
      nextRestartAt: container.status.nextRestartAt,
    })
  try {
    deps.store.write(failed)
    await tearDown(detached(ctx), deps, container)
  } catch (error) {
    deps.log.error('clean-up after a failed start failed; it is tried again', { containerId: id, error })
  }
  return new StatusError(code, `Cannot start container "${name}": ${message}`, { cause })
}

/** What a user's own seccomp profile denies the runtime's last steps ends them without a word. */
function startFault({ spec }: Container, cause: unknown): { code: StatusCode; message: string } {
  const { code, message } = toStatusError(cause)
  if (code !== 'internal' || typeof spec.security?.seccomp !== 'object') return { code, message }
  const hint = 'its own seccomp profile may deny what a start needs'
  return { code: 'invalid_argument', message: `${message} (${hint})` }
}
