import { statSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { ContainerSpec, Mount } from '../../model/container.ts'
import type { OciMount } from './oci-types.ts'
import { tmpfsOptions } from './tmpfs-options.ts'

const SHM_BYTES = 64 * 1024 * 1024
/** mount_setattr(2), which makes all mounts below a bind read-only too. */
const RECURSIVE_READ_ONLY_SINCE = [5, 12] as const

/** Docker's, in its order. */
const DEFAULT_MOUNTS: readonly OciMount[] = [
  mount('/proc', 'proc', 'proc', 'nosuid noexec nodev'),
  mount('/dev', 'tmpfs', 'tmpfs', 'nosuid strictatime mode=755 size=65536k'),
  mount('/dev/pts', 'devpts', 'devpts', 'nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5'),
  mount('/sys', 'sysfs', 'sysfs', 'nosuid noexec nodev ro'),
  mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'ro nosuid noexec nodev'),
  mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid noexec nodev'),
  mount('/dev/shm', 'tmpfs', 'shm', `nosuid noexec nodev mode=1777 size=${SHM_BYTES}`),
]

const ETC_FILES = ['resolv.conf', 'hostname', 'hosts']

/**
 * All mounts of a container, parents before what lies below them. What a user mounts takes the place of a default at the
 * same destination, and a user's /dev that of all below it.
 *
 * @param etcDir holds hosts, hostname and resolv.conf to bind
 */
export function containerMounts(
  spec: Pick<ContainerSpec, 'mounts' | 'tmpfs' | 'readOnlyRootfs'>,
  etcDir: string,
  kernel: readonly [number, number],
): OciMount[] {
  const [major, minor] = RECURSIVE_READ_ONLY_SINCE
  const readOnly = kernel[0] > major || (kernel[0] === major && kernel[1] >= minor) ? 'rro' : 'ro'
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
  const defaults = DEFAULT_MOUNTS.filter(
    ({ destination }) => !taken.has(destination) && !(ownDev && destination.startsWith('/dev/')),
  )
  const etc = ETC_FILES.map((name) => etcMount(name, etcDir, spec.readOnlyRootfs)).filter(
    ({ destination }) => !taken.has(destination),
  )
  return [...defaults, ...[...etc, ...asked].toSorted((a, b) => depth(a.destination) - depth(b.destination))]
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
  return {
    destination: `/etc/${name}`,
    type: 'bind',
    source: join(etcDir, name),
    options: ['rbind', ...(readOnly ? ['ro'] : []), 'rprivate'],
  }
}

function mount(destination: string, type: string, source: string, options: string): OciMount {
  return { destination, type, source, options: options.split(' ') }
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length
}
