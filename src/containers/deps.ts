import { join } from 'node:path'
import type { NameServer } from '../dns/index.ts'
import type { Images } from '../images/index.ts'
import type { Histogram } from '../lib/histogram.ts'
import type { KeyedLock } from '../lib/keyed-lock.ts'
import type { Logger } from '../lib/log.ts'
import { shortId } from '../model/names.ts'
import type { NetworkDriver } from '../network/index.ts'
import type { RenderedSeccomp, Runtime } from '../runtime/index.ts'
import type { Snapshots } from '../snapshots/index.ts'
import type { Store } from '../store/index.ts'
import type { AttachWaiters } from './attach-waiters.ts'
import type { ExitWaiters } from './exit-waiters.ts'
import type { LogRotation } from './log-rotation.ts'

export interface ContainerDefaults {
  /** The network of a container that names none. */
  readonly network: string
  /** CIDR text: where networks that name no subnet take one from. */
  readonly subnetPool: string
  /** CIDR text: where Services take their addresses from, and no network may. */
  readonly serviceSubnet: string
  /** The same of IPv6; a random prefix, drawn once, if absent. */
  readonly subnetPool6?: string
  readonly cgroupParent: string
  readonly stopTimeoutMs: number
}

/** What the verbs work with. */
export interface Deps {
  readonly store: Store
  readonly images: Images
  readonly snapshots: Snapshots
  readonly runtime: Runtime
  readonly network: NetworkDriver
  /** Absent where containers ask the host's servers themselves. */
  readonly nameServer?: Pick<NameServer, 'sync' | 'serves'>
  readonly rotation: LogRotation
  readonly locks: KeyedLock
  readonly exits: ExitWaiters
  /** Seconds that successful starts took. */
  readonly starts: Histogram
  readonly attaching: AttachWaiters
  readonly paths: Paths
  readonly defaults: ContainerDefaults
  readonly seccomp: (capabilities: readonly string[]) => RenderedSeccomp
  /** Absent where the kernel has no AppArmor, or the profile could not be loaded. */
  readonly apparmorProfile?: string
  /** Of this boot of the host: pids of another one mean nothing. */
  readonly bootId: string
  readonly log: Logger
}

/** Where a container's files are. Directories carry the id's first 12 digits, which are unique: socket paths must fit 107 bytes. */
export interface Paths {
  /** Persistent: upper, work, log, etc. */
  container(id: string): string
  /**
   * Gone after a reboot: bundle, mountpoint, sockets. In memory, so that to write there costs less than to hand it
   * to another thread.
   */
  bundle(id: string): string
  rootfs(id: string): string
  /** A tmpfs, for a container that shares its IPC namespace. */
  shm(id: string): string
  upper(id: string): string
  work(id: string): string
  etc(id: string): string
  log(id: string): string
  /** Of a volume, with nothing in it but its data and what fills it. */
  volume(name: string): string
  /** Of a pod, by its full uid; persistent: its volumes. */
  pod(uid: string): string
  podVolume(uid: string, name: string): string
  /** Gone after a reboot: parts of its volumes, mounted for its containers. */
  podMounts(uid: string): string
  readonly containersDir: string
  readonly volumesDir: string
  readonly bundlesDir: string
  readonly podsDir: string
  readonly podMountsDir: string
}

export function containerPaths(root: string, run: string): Paths {
  const containersDir = join(root, 'containers')
  const bundlesDir = join(run, 'containers')
  const volumesDir = join(root, 'volumes')
  const podsDir = join(root, 'pods')
  const podMountsDir = join(run, 'pods')
  const container = (id: string) => join(containersDir, shortId(id))
  const bundle = (id: string) => join(bundlesDir, shortId(id))
  return {
    containersDir,
    bundlesDir,
    volumesDir,
    podsDir,
    podMountsDir,
    container,
    bundle,
    rootfs: (id) => join(bundle(id), 'rootfs'),
    shm: (id) => join(bundle(id), 'shm'),
    upper: (id) => join(container(id), 'upper'),
    work: (id) => join(container(id), 'work'),
    etc: (id) => join(container(id), 'etc'),
    log: (id) => join(container(id), 'log', 'container.log'),
    volume: (name) => join(volumesDir, name),
    pod: (uid) => join(podsDir, uid),
    podVolume: (uid, name) => join(podsDir, uid, 'volumes', name),
    podMounts: (uid) => join(podMountsDir, uid),
  }
}
