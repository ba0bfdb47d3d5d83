import { statSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { ContainerSpec, Mount } from '../../model/container.ts'
import type { OciMount } from './oci-types.ts'
import { isAtLeast } from './seccomp.ts'
import { tmpfsOptions } from './tmpfs-options.ts'

const SHM_BYTES = 64 * 1024 * 1024
/** mount_setattr(2), which makes all mounts below a bind read-only too. */
const RECURSIVE_READ_ONLY_SINCE = [5, 12] as const

export const SYSFS = '/sys'

/** Docker's, in its order; then comes /dev/shm. */
const DEFAULT_MOUNTS: readonly OciMount[] = [
  mount('/proc', 'proc', 'proc', 'nosuid noexec nodev'),
  mount('/dev', 'tmpfs', 'tmpfs', 'nosuid strictatime mode=755 size=65536k'),
  mount('/dev/pts', 'devpts', 'devpts', 'nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5'),
  mount(SYSFS, 'sysfs', 'sysfs', 'nosuid noexec nodev ro'),
  mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'ro nosuid noexec nodev'),
  mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid noexec nodev'),
]

/** Where an init is bound, as docker has it: unlike /dev or /run, nobody binds /sbin from the host. */
export const INIT_PATH = '/sbin/docker-init'

const ETC_FILES = ['resolv.conf', 'hostname', 'hosts']

type MountSpec = Pick<
  ContainerSpec,
  'mounts' | 'tmpfs' | 'readOnlyRootfs' | 'privileged' | 'ipcMode' | 'shmBytes' | 'pod'
>

/** What of the host's files a container gets besides what its user mounts. */
export interface MountSources {
  /** Holds hosts, hostname and resolv.conf. */
  readonly etcDir: string
  /** A tmpfs for /dev/shm that containers share; absent: one of its own. */
  readonly shmDir?: string
  /** An init to bind; absent: none. */
  readonly initProgram?: string
}

/**
 * All mounts of a container, parents before what lies below them. What a user mounts takes the place of a default at the
 * same destination, and a user's /dev that of all below it.
 *
 */
export function containerMounts(
  spec: MountSpec,
  { etcDir, shmDir, initProgram }: MountSources,
  kernel: readonly [number, number],
): OciMount[] {
  const readOnly = isAtLeast(kernel, RECURSIVE_READ_ONLY_SINCE) ? 'rro' : 'ro'
  const asked: OciMount[] = [
    ...spec.mounts.map((bind) => bindMount(bind, readOnly)),
    ...spec.tmpfs.map(({ destination, options }) => ({
      destination: posix.resolve('/', destination),
      type: 'tmpfs',
      source: 'tmpfs',
      options: tmpfsOptions(options),
    })),
  ]
  const taken = new Set(asked.map(({ destination }) => destination))
  const ownDev = taken.has('/dev')
  const defaults = defaultMounts(spec, shmDir).filter(
    ({ destination }) => !taken.has(destination) && !(ownDev && destination.startsWith('/dev/')),
  )
  const etc = ETC_FILES.map((name) => etcMount(name, etcDir, spec.readOnlyRootfs)).filter(
    ({ destination }) => !taken.has(destination),
  )
  const init = initProgram === undefined ? [] : [bind(initProgram, INIT_PATH, ['ro'])]
  return [...defaults, ...[...etc, ...init, ...asked].toSorted((a, b) => depth(a.destination) - depth(b.destination))]
}

/** Those of a privileged container may be written to; the host's IPC namespace has the host's /dev/shm. */
function defaultMounts(spec: MountSpec, shmDir: string | undefined) {
  const { privileged, ipcMode, shmBytes = SHM_BYTES } = spec
  const shmSource = ipcMode === 'host' ? '/dev/shm' : shmDir
  const shm =
    shmSource === undefined
      ? mount('/dev/shm', 'tmpfs', 'shm', `nosuid noexec nodev mode=1777 size=${shmBytes}`)
      : bind(shmSource, '/dev/shm')
  const mounts = [...DEFAULT_MOUNTS, shm]
  const isWritable = ({ destination }: OciMount) => privileged || (destination === SYSFS && opensSysfs(spec))
  return mounts.map((one) =>
    isWritable(one) ? { ...one, options: one.options.filter((option) => option !== 'ro') } : one,
  )
}

/**
 * A network namespace has one sysfs, which nobody can write to if its first mount, as runc makes it, is read-only. The
 * first is that of a sandbox, whose privileged members may write; the sandbox itself is kept from it afterwards.
 */
export function opensSysfs({ pod }: Pick<ContainerSpec, 'pod'>): boolean {
  return pod?.role === 'infra'
}

/** The root's propagation that these mounts need: what is shared must not be cut off above. */
export function rootPropagation(mounts: readonly Mount[]): 'shared' | 'rslave' | undefined {
  if (mounts.some(({ propagation }) => propagation.endsWith('shared'))) return 'shared'
  return mounts.some(({ propagation }) => propagation.endsWith('slave')) ? 'rslave' : undefined
}

function bindMount({ source, destination, readOnly, propagation }: Mount, readOnlyOption: string): OciMount {
  // Nothing is mounted below a file, and crun opens what it makes read-only to its depth as a directory.
  const isFile = statSync(source, { throwIfNoEntry: false })?.isDirectory() === false
  const option = isFile ? 'ro' : readOnlyOption
  const options = ['rbind', ...(readOnly ? [option] : []), propagation]
  return { destination: posix.resolve('/', destination), type: 'bind', source, options }
}

function etcMount(name: string, etcDir: string, readOnly: boolean): OciMount {
  return bind(join(etcDir, name), `/etc/${name}`, readOnly ? ['ro'] : [])
}

function bind(source: string, destination: string, options: readonly string[] = []): OciMount {
  return { destination, type: 'bind', source, options: ['rbind', ...options, 'rprivate'] }
}

function mount(destination: string, type: string, source: string, options: string): OciMount {
  return { destination, type, source, options: options.split(' ') }
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length
}
