import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '../../src/lib/log.ts'
import { cgroupHierarchies, cgroupMode, containerCgroup } from '../../src/linux/cgroup.ts'
import { hideUnifiedCgroup, type KernelThread, startKernelThread } from '../../src/linux/kernel-thread.ts'
import { check, libc } from '../../src/linux/libc.ts'
import { commandLine, processIds } from '../../src/linux/process.ts'
import { newId, shortId } from '../../src/model/names.ts'
import {
  type ContainerExit,
  createRuntime,
  type OciProcess,
  type OciSpec,
  type Runtime,
} from '../../src/runtime/index.ts'
import { eventually } from './eventually.ts'

const mount = libc('int mount(const char*, const char*, const char*, unsigned long, const void*)')
const umount2 = libc('int umount2(const char*, int)')
const MS_BIND = 1 << 12
const MS_SHARED = 1 << 20
const MNT_DETACH = 2

const APPLETS = ['sh', 'cat', 'sleep', 'ls', 'env', 'echo', 'true', 'dd', 'head', 'kill', 'tail', 'tr', 'id', 'test']

export interface TestContainer {
  readonly id: string
  readonly bundle: string
  readonly logFile: string
  readonly cgroup: string
}

/**
 * What a daemon gives its runtime: directories on a shared mount, a root filesystem, a kernel thread. `restart` is the
 * death of a daemon and the start of the next, as its runtime sees it.
 */
export class RuntimeHost implements AsyncDisposable {
  readonly directory = mkdtempSync('/var/tmp/condenser-runtime-')
  readonly run = join(this.directory, 'run')
  readonly rootfs = join(this.directory, 'rootfs')
  readonly cgroupParent = `/condenser-test-${process.pid}`
  readonly choice: 'crun' | 'runc'
  readonly #exits: ContainerExit[] = []
  #thread: KernelThread | undefined
  #runtime: Runtime | undefined

  constructor(choice: 'crun' | 'runc') {
    this.choice = choice
    makeRootfs(this.rootfs)
    mkdirSync(this.run)
    check('bind', mount(this.run, this.run, null, MS_BIND, null))
    check('share', mount(null, this.run, null, MS_SHARED, null))
  }

  get runtime(): Runtime {
    if (this.#runtime === undefined) throw new Error('not started')
    return this.#runtime
  }

  get ctx() {
    return { signal: AbortSignal.timeout(60_000), log: silentLogger }
  }

  async start(): Promise<void> {
    this.#thread = startKernelThread(new URL('runtime-entry.ts', import.meta.url))
    if (cgroupMode() === 'hybrid') await hideUnifiedCgroup(this.#thread)
    this.#runtime = await createRuntime(this.ctx, {
      hierarchies: cgroupHierarchies(),
      choice: this.choice,
      runDir: this.run,
      thread: this.#thread,
      cgroupParent: this.cgroupParent,
      log: silentLogger,
    })
    this.#runtime.onExit((exit) => void this.#exits.push(exit))
  }

  async stop(): Promise<void> {
    await this.#runtime?.[Symbol.asyncDispose]()
    await this.#thread?.[Symbol.asyncDispose]()
    this.#runtime = undefined
  }

  container(): TestContainer {
    const id = newId()
    const bundle = join(this.run, 'containers', shortId(id))
    return { id, bundle, logFile: join(bundle, 'log'), cgroup: containerCgroup(this.cgroupParent, id) }
  }

  spec({ cgroup }: TestContainer, args: readonly string[], memoryBytes?: number): OciSpec {
    return testSpec(this.rootfs, cgroup, args, memoryBytes)
  }

  async create(container: TestContainer, args: readonly string[], options: { memoryBytes?: number } = {}) {
    const { id, bundle, logFile } = container
    mkdirSync(bundle, { recursive: true })
    const spec = this.spec(container, args, options.memoryBytes)
    return await this.runtime.create(this.ctx, { id, bundle, spec, logFile, tty: false, openStdin: false })
  }

  /** A container that runs. */
  async launch(args: readonly string[], options: { memoryBytes?: number } = {}) {
    const container = this.container()
    const process = await this.create(container, args, options)
    await this.runtime.start(this.ctx, container.id, container.bundle)
    return { ...container, ...process, exited: () => this.exitOf(container) }
  }

  async exitOf({ id }: { id: string }): Promise<ContainerExit> {
    const isIts = (exit: ContainerExit) => exit.id === id
    const exits = await eventually(
      () => this.#exits,
      (exits) => exits.some(isIts),
    )
    return exits.find(isIts)!
  }

  exitsOf({ id }: { id: string }): ContainerExit[] {
    return this.#exits.filter((exit) => exit.id === id)
  }

  async delete({ id, bundle }: { id: string; bundle: string }): Promise<void> {
    await this.runtime.delete(this.ctx, id, bundle)
  }

  /** Whatever is left of a container, on disk, in cgroups, among processes. */
  leftovers({ id, bundle, cgroup }: TestContainer): string[] {
    const files = [
      ...filesBelow(bundle),
      ...filesBelow(join(this.run, 'exits')),
      ...filesBelow(join(this.run, this.choice)),
    ]
    const roots = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))]
    return [
      ...files.filter((file) => (file.includes(id) || file.startsWith(bundle)) && !/\/log(\.\d+)?$/.test(file)),
      ...roots.map((root) => join(root, cgroup)).filter((path) => existsSync(path)),
      ...processesWith(bundle).map((pid) => `process ${pid}: ${commandLine(pid)?.[0]}`),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    umount2(this.run, MNT_DETACH)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** The conmons of a container. */
export function monitorsOf(id: string): number[] {
  return processesWith(`--cid\0${id}`)
}

/** Processes whose command line holds `text`. */
function processesWith(text: string): number[] {
  return processIds().filter((pid) => commandLine(pid)?.join('\0').includes(text))
}

export function testProcess(args: readonly string[]): OciProcess {
  const all = ['CAP_KILL', 'CAP_SETUID', 'CAP_SETGID', 'CAP_DAC_OVERRIDE']
  return {
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [] },
    args,
    env: ['PATH=/bin', 'INSIDE=yes'],
    cwd: '/',
    capabilities: { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] },
    rlimits: [],
    noNewPrivileges: false,
    oomScoreAdj: 0,
  }
}

function testSpec(rootfs: string, cgroup: string, args: readonly string[], memoryBytes?: number): OciSpec {
  const plain = ['nosuid', 'noexec', 'nodev']
  return {
    ociVersion: '1.0.2',
    hostname: 'test',
    root: { path: rootfs, readonly: false },
    process: testProcess(args),
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: plain },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
    ],
    annotations: {},
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
      cgroupsPath: cgroup,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        pids: { limit: 100 },
        ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes, swap: memoryBytes } }),
      },
      sysctl: {},
      maskedPaths: [],
      readonlyPaths: [],
    },
  }
}

function makeRootfs(rootfs: string): void {
  for (const name of ['bin', 'proc', 'dev', 'tmp']) mkdirSync(join(rootfs, name), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', applet))
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true }).map((name) => join(directory, String(name)))
}
