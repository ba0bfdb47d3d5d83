/**
 * Cgroups with the cgroupfs driver: all that differs between version 1, version 2 and hybrid hosts (controllers in
 * version 1's hierarchies, and an empty version 2 hierarchy beside them) is in this file and in cgroup-usage.ts. A
 * systemd driver would put its own `containerCgroup` here, and ask systemd for the slice.
 *
 * A cgroup is named by its path from the root, `/condenser/<id>`, which is the same in every hierarchy.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../lib/errors.ts'
import { errno, libc, SysError } from './libc.ts'
import { Pidfd } from './pidfd.ts'

export type CgroupMode = 'v1' | 'v2' | 'hybrid'

export interface Hierarchy {
  readonly version: 1 | 2
  readonly mountPoint: string
  /** Version 1: `memory`, `cpu,cpuacct`, `name=systemd`. */
  readonly controllers: readonly string[]
}

const ROOT = '/sys/fs/cgroup'
const SIGKILL = 9
const rmdir = libc('int rmdir(const char*)')
const ENOENT = 2
const EBUSY = 16

/** The hierarchies mounted below /sys/fs/cgroup. */
export function cgroupHierarchies(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): Hierarchy[] {
  const found = new Map<string, Hierarchy>()
  for (const line of mountinfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ')
    const mountPoint = mount.split(' ')[4]
    const [type, , options = ''] = filesystem.split(' ')
    if (mountPoint === undefined || !(mountPoint === ROOT || mountPoint.startsWith(`${ROOT}/`))) continue
    if (type === 'cgroup2') found.set(mountPoint, { version: 2, mountPoint, controllers: [] })
    if (type === 'cgroup') found.set(mountPoint, { version: 1, mountPoint, controllers: controllersOf(options) })
  }
  return [...found.values()]
}

export function cgroupMode(hierarchies = cgroupHierarchies()): CgroupMode {
  const versions = new Set(hierarchies.map(({ version }) => version))
  if (versions.size === 2) return 'hybrid'
  return versions.has(2) ? 'v2' : 'v1'
}

/** The cgroup of one container, as `linux.cgroupsPath` of its config.json names it. */
export function containerCgroup(parent: string, id: string): string {
  return join('/', parent, id)
}

/** Whether it is there, in any hierarchy. */
export function hasCgroup(cgroup: string, hierarchies: readonly Hierarchy[]): boolean {
  return hierarchies.some(({ mountPoint }) => existsSync(join(mountPoint, cgroup)))
}

/** How many processes of the cgroup the kernel has killed for want of memory; 0 if it is gone. */
export function oomKills(cgroup: string, hierarchies: readonly Hierarchy[]): number {
  const memory = hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes('memory'))
  const unified = hierarchies.find(({ version }) => version === 2)
  const file = memory
    ? join(memory.mountPoint, cgroup, 'memory.oom_control')
    : join(unified?.mountPoint ?? ROOT, cgroup, 'memory.events')
  return Number(/^oom_kill (\d+)$/m.exec(readIfThere(file) ?? '')?.[1] ?? 0)
}

/** Whether the processes of a cgroup are frozen, or about to be; undefined if it is gone. */
export function isFrozen(cgroup: string, hierarchies: readonly Hierarchy[]): boolean | undefined {
  const { file, thawed } = freezer(cgroup, hierarchies)
  const state = readIfThere(file)?.trim()
  return state === undefined ? undefined : state !== thawed
}

/** Lets frozen processes go on. Idempotent, also for a cgroup that is gone. */
export function thaw(cgroup: string, hierarchies: readonly Hierarchy[]): void {
  const { file, thawed } = freezer(cgroup, hierarchies)
  if (isFrozen(cgroup, hierarchies)) writeFileSync(file, thawed)
}

/** freezer.state of version 1 is THAWED, FREEZING or FROZEN; cgroup.freeze of version 2 is 0 or 1. */
function freezer(cgroup: string, hierarchies: readonly Hierarchy[]): { file: string; thawed: string } {
  const own = hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes('freezer'))
  if (own !== undefined) return { file: join(own.mountPoint, cgroup, 'freezer.state'), thawed: 'THAWED' }
  const unified = hierarchies.find(({ version }) => version === 2)
  return { file: join(unified?.mountPoint ?? ROOT, cgroup, 'cgroup.freeze'), thawed: '0' }
}

/** Ends what is left in a cgroup and removes it, in every hierarchy. Idempotent. */
export async function removeCgroup(cgroup: string, hierarchies: readonly Hierarchy[]): Promise<void> {
  for (const { mountPoint } of hierarchies) await removeTree(join(mountPoint, cgroup))
}

async function removeTree(directory: string): Promise<void> {
  if (removeEmpty(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name))
  }
  await killMembers(directory)
  if (!removeEmpty(directory)) throw new SysError(`remove cgroup ${directory}`, EBUSY)
}

/** False if there is something in it. */
function removeEmpty(directory: string): boolean {
  if (rmdir(directory) === 0 || errno() === ENOENT) return true
  if (errno() === EBUSY) return false
  throw new SysError(`remove cgroup ${directory}`, errno())
}

/** Until nothing is left: a process may have forked before its end. */
async function killMembers(directory: string): Promise<void> {
  for (let pids = members(directory); pids.length > 0; pids = members(directory)) {
    await Promise.all(
      pids.map(async (pid) => {
        using process = Pidfd.open(pid)
        if (process?.signal(SIGKILL)) await process.end
      }),
    )
  }
}

/** The pids in a cgroup and in those below it; none if it is gone. In version 1 that of the pids controller is asked. */
export function cgroupProcesses(cgroup: string, hierarchies: readonly Hierarchy[]): number[] {
  const own = hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes('pids'))
  const { mountPoint } = own ?? hierarchies.find(({ version }) => version === 2) ?? { mountPoint: ROOT }
  return membersBelow(join(mountPoint, cgroup))
}

function membersBelow(directory: string): number[] {
  let children: string[] = []
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    children = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  return [...members(directory), ...children.flatMap(membersBelow)]
}

function members(directory: string): number[] {
  return (readIfThere(join(directory, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number)
}

/**
 * A leaf cgroup beside the containers', for the processes that must outlive the daemon. It exists in those hierarchies
 * in which the daemon has a cgroup of its own (a service's, which dies with the service); elsewhere nothing is to be left.
 *
 * In version 1 a thread can be in other cgroups than its process, and its children start in them: the thread that
 * spawns enters once. In version 2 each process has to be moved after its start.
 */
export interface LeafCgroup {
  /** Version 1 hierarchies: children of that thread of this process will start in the leaf. */
  adoptThread(threadId: number): Promise<void>
  /** Version 2 hierarchies: moves a process that runs. */
  adoptProcess(pid: number): Promise<void>
  /** Takes the thread out again, and removes the leaf and its parents where they are empty. */
  release(threadId: number): void
}

export function leafCgroup(cgroup: string, hierarchies: readonly Hierarchy[]): LeafCgroup {
  const own = ownCgroups()
  const left = hierarchies.filter((hierarchy) => ownCgroup(own, hierarchy) !== '/')
  for (const hierarchy of left) makeCgroup(hierarchy, cgroup)
  const threaded = left.filter(({ version }) => version === 1)
  const unified = left.find(({ version }) => version === 2)
  return {
    async adoptThread(threadId) {
      for (const { mountPoint } of threaded) await writeFile(join(mountPoint, cgroup, 'tasks'), String(threadId))
    },
    async adoptProcess(pid) {
      if (unified !== undefined) await writeFile(join(unified.mountPoint, cgroup, 'cgroup.procs'), String(pid))
    },
    release(threadId) {
      for (const hierarchy of threaded) {
        writeFileSync(join(hierarchy.mountPoint, ownCgroup(own, hierarchy), 'tasks'), String(threadId))
      }
      for (const { mountPoint } of hierarchies) {
        for (let path = cgroup; path !== '/'; path = dirname(path)) removeEmpty(join(mountPoint, path))
      }
    },
  }
}

/**
 * Where a write of this process's own id changes nothing, but makes the kernel ready to move processes: the first move
 * after some 15 ms without one waits for an RCU grace period (8 to 35 ms), the next ones do not.
 */
export function ownProcsFile(hierarchies: readonly Hierarchy[]): string {
  const own = ownCgroups()
  const hierarchy = hierarchies.find(({ controllers }) => controllers.includes('pids')) ?? hierarchies[0]!
  return join(hierarchy.mountPoint, ownCgroup(own, hierarchy), 'cgroup.procs')
}

/** In version 1 a new cgroup of `cpuset` takes no process before it has CPUs and memory nodes: those of its parent. */
function makeCgroup({ version, mountPoint, controllers }: Hierarchy, cgroup: string): void {
  let directory = mountPoint
  for (const name of cgroup.split('/').filter(Boolean)) {
    const parent = directory
    directory = join(directory, name)
    try {
      mkdirSync(directory)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    if (version === 2 || !controllers.includes('cpuset')) continue
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (readFileSync(join(directory, file), 'utf8').trim() !== '') continue
      writeFileSync(join(directory, file), readFileSync(join(parent, file)))
    }
  }
}

/** By the controllers' names, as /proc/self/cgroup lists them; version 2's is the empty one. */
function ownCgroups(): ReadonlyMap<string, string> {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [, controllers = '', ...path] = line.split(':')
      return [controllers, path.join(':')]
    }),
  )
}

function ownCgroup(own: ReadonlyMap<string, string>, { controllers }: Hierarchy): string {
  for (const [names, path] of own) {
    if (names.split(',').filter(Boolean).sort().join() === controllers.toSorted().join()) return path
  }
  return '/'
}

/** Of a mount's options, those that are not the filesystem's own. */
function controllersOf(options: string): string[] {
  const own = /^(rw|ro|xattr|noprefix|clone_children|cpuset_v2_mode|favordynmods|release_agent=.*|none)$/
  return options.split(',').filter((option) => !own.test(option))
}

/** Undefined for a file of a cgroup that is gone, or of a controller that it does not have. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENODEV') return undefined
    throw error
  }
}
