import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bottles, createBottles } from '../bottles/index.ts'
import {
  AttachWaiters,
  type Containers,
  containerPaths,
  createContainers,
  ExitWaiters,
  ensureDefaultNetwork,
  LogRotation,
} from '../containers/index.ts'
import { openContent } from '../content/index.ts'
import { createImages, type Images } from '../images/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError, systemCode } from '../lib/errors.ts'
import { Histogram } from '../lib/histogram.ts'
import { KeyedLock } from '../lib/keyed-lock.ts'
import { allocate } from '../linux/allocate.ts'
import { cgroupHierarchies, cgroupMode } from '../linux/cgroup.ts'
import { lockFile } from '../linux/flock.ts'
import { hostAddress } from '../linux/host-address.ts'
import { hideUnifiedCgroup, type KernelThread } from '../linux/kernel-thread.ts'
import { bindShared, isMountPoint, readMountinfo } from '../linux/mount.ts'
import { bootId } from '../linux/process.ts'
import { createNetwork } from '../network/index.ts'
import { createRegistryClient } from '../registry/index.ts'
import { createResources, type Resources } from '../resources/index.ts'
import {
  containerCapabilities,
  createRuntime,
  loadAppArmorProfile,
  type Runtime,
  seccompProfiles,
} from '../runtime/index.ts'
import { openSnapshots } from '../snapshots/index.ts'
import { openStore, type Store } from '../store/index.ts'
import type { Config } from './config.ts'
import { startControllers } from './controllers.ts'
import { openNameServer } from './name-server.ts'
import { assertServiceSubnetIsFree } from './subnet.ts'
import { workerEntries } from './worker-entries.ts'

/** What a start takes on machines of all sizes. */
const START_SECONDS = [0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10]
/** How long the host's own address is taken for what it was. */
const KEPT_MS = 10_000
/** When the first requests have been answered. */
const SETTLED_MS = 200

/** The two doors of the core, put together and recovered. Disposing leaves containers running. */
export interface Engine extends AsyncDisposable {
  readonly store: Store
  readonly images: Images
  readonly containers: Containers
  readonly resources: Resources
  readonly bottles: Bottles
  readonly runtime: Runtime
  /** Resolves when the rules of all networks are in force, and links are as they should be: what needs them waits by itself. */
  readonly settled: Promise<void>
  /** Makes those again that somebody has removed. */
  ensureDirectories(): Promise<void>
  /** What containers get unless they ask for another; undefined where there is none. */
  readonly apparmorProfile: string | undefined
}

/**
 * Opens everything below `root` and `run`, and brings records and kernel into agreement.
 * @throws {StatusError} `failed_precondition` if another daemon has this root
 */
export async function openEngine(ctx: Ctx, config: Config, thread: KernelThread): Promise<Engine> {
  const { root, run, network: networkSpec, cgroupParent, stopTimeoutMs } = config
  const { log } = ctx
  await using opened = new AsyncDisposableStack()

  const paths = containerPaths(root, run)
  const layersDir = join(root, 'l')
  await makeDirectories(config)
  opened.use(takeRoot(root))
  const mountinfo = readMountinfo()
  const hierarchies = cgroupHierarchies(mountinfo)
  if (cgroupMode(hierarchies) === 'hybrid') {
    // What the kernel thread and this one mount must be seen by both: its mount namespace becomes its own.
    for (const directory of [root, run]) if (!isMountPoint(directory, mountinfo)) bindShared(directory)
    await hideUnifiedCgroup(thread)
  }
  const entries = workerEntries()
  const store = opened.use(
    openStore({
      file: storeFile(root),
      copy: join(root, 'condenser.records'),
      log,
      reserve: reserveIfPossible,
      checkpointWorker: entries.checkpoint,
    }),
  )
  const resources = opened.use(
    createResources({ store, serviceSubnet: config.serviceSubnet, manifestWorker: entries.manifests }),
  )
  const netnsDir = join(run, 'netns')
  const services = { bridge: networkSpec.bridge, subnet: config.serviceSubnet }
  const network = createNetwork({ thread, netnsDir, services, log })
  const [subnets, routes] = await Promise.all([network.hostSubnets(), network.hostRoutes()])
  assertServiceSubnetIsFree(config.serviceSubnet, { subnets, routes })
  const runtimeOptions = { choice: config.runtime, runDir: run, thread, hierarchies, cgroupParent, log }
  const [runtime, snapshots, content] = await Promise.all([
    createRuntime(ctx, runtimeOptions).then((made) => opened.use(made)),
    openSnapshots({ layersDir, workerEntry: entries.unpack }).then((made) => opened.use(made)),
    openContent(join(root, 'content')),
    ensureDefaultNetwork(ctx, store, network, networkSpec),
  ])
  const apparmorProfile = runtime.host.hasAppArmor ? await loadAppArmorProfile(thread, log) : undefined
  const registry = createRegistryClient({
    registries: config.registries,
    ...(config.dockerConfigFile !== undefined && { dockerConfigFile: config.dockerConfigFile }),
  })
  const images = opened.use(
    createImages(ctx, { store, content, snapshots, registry, layersDir, policy: config.images }),
  )
  const nameServer = opened.use(await openNameServer(ctx, config, { thread, store }))
  const rotation = opened.use(new LogRotation({ ...config.containerLogs, log }))
  const seccomp = seccompProfiles(runtime.host, { compile: runtime.takesSeccompBpf })
  const containers = opened.use(
    createContainers(ctx, {
      store,
      images,
      snapshots,
      runtime,
      network,
      ...(nameServer !== undefined && { nameServer }),
      rotation,
      locks: new KeyedLock(),
      exits: new ExitWaiters(),
      starts: new Histogram(START_SECONDS),
      attaching: new AttachWaiters(),
      paths,
      defaults: {
        network: networkSpec.bridge,
        subnetPool: config.subnet,
        serviceSubnet: config.serviceSubnet,
        ...(config.subnet6 !== undefined && { subnetPool6: config.subnet6 }),
        cgroupParent,
        stopTimeoutMs,
      },
      seccomp,
      ...(apparmorProfile !== undefined && { apparmorProfile }),
      bootId: bootId(),
      log,
    }),
  )

  const bottles = opened.use(
    createBottles({
      store,
      images,
      containers,
      directory: join(root, 'bottles'),
      bottleWorker: entries.bottles,
      log,
    }),
  )
  await containers.recover(ctx)
  await bottles.recover(ctx)
  const settled = Promise.all([network.enforce(), containers.recoverLinks(ctx)]).then(() => {})
  // Whoever waits for it is told.
  settled.catch(() => {})
  await images.recover(ctx)
  await runtime.ready
  opened.use(startControllers(ctx, { store, images, containers, network, nameServer, hostIp: kept(hostAddress) }))
  // So that the first start need not wait 30 ms for it; nor the first answer.
  setTimeout(() => seccomp(containerCapabilities([], [], runtime.host.capabilities)), SETTLED_MS).unref()
  const stack = opened.move()
  return {
    store,
    images,
    containers,
    resources,
    bottles,
    runtime,
    settled,
    apparmorProfile,
    async ensureDirectories() {
      await makeDirectories(config)
      await mkdir(netnsDir, { recursive: true })
      runtime.ensureDirectories()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Of what changes seldom, and takes a question to the kernel: one answer for a while. */
function kept<T>(read: () => T): () => T {
  let known: { readonly value: T; readonly since: number } | undefined
  return () => {
    const now = performance.now()
    if (known === undefined || now - known.since > KEPT_MS) known = { value: read(), since: now }
    return known.value
  }
}

export function storeFile(root: string): string {
  return join(root, 'condenser.db')
}

/** On a disk that is full already there is nothing to be had: what can be done without is done. */
function reserveIfPossible(fd: number, bytes: number): void {
  try {
    allocate(fd, bytes)
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT', 'EOPNOTSUPP'].includes(systemCode(error) ?? '')) throw error
  }
}

/** Only root may look into either: layers and upper directories hold set-uid files of strangers. */
async function makeDirectories({ root, run }: Config): Promise<void> {
  process.umask(0o022)
  for (const directory of [root, run]) await mkdir(directory, { recursive: true, mode: 0o711 })
  for (const name of ['containers', 'pods']) {
    for (const above of [root, run]) await mkdir(join(above, name), { recursive: true, mode: 0o700 })
  }
}

function takeRoot(root: string): Disposable {
  const lock = lockFile(join(root, 'lock'))
  if (lock !== undefined) return lock
  throw new StatusError(
    'failed_precondition',
    `Another daemon has the root ${root}: stop that one, or give this one a root, run, bridge and subnet of its own`,
  )
}
