import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../lib/ctx.ts'
import { StatusError, systemCode } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { KeyedLock } from '../lib/keyed-lock.ts'
import type { Logger } from '../lib/log.ts'
import {
  cgroupProcesses,
  containerCgroup,
  type Hierarchy,
  hasCgroup,
  isFrozen,
  type LeafCgroup,
  leafCgroup,
  oomKills,
  removeCgroup,
  thaw,
} from '../linux/cgroup.ts'
import type { Usage, UsageTarget } from '../linux/cgroup-usage.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { adoptOrphans } from '../linux/orphans.ts'
import { Pidfd, signalProcess, tryReap } from '../linux/pidfd.ts'
import { processStat } from '../linux/process.ts'
import { type ProcessRow, processRow } from '../linux/process-table.ts'
import { spawningThreadId } from '../linux/spawn.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import { attachTo } from './attach.ts'
import { cgroupOf, hasHooks } from './bundle-config.ts'
import { tellConmon } from './conmon-control.ts'
import { execInContainer } from './exec.ts'
import { releaseByFifo } from './exec-fifo.ts'
import { readExitFile } from './exit-file.ts'
import {
  endMonitor,
  endUnfinished,
  findMonitors,
  MONITOR_FILES,
  type Monitor,
  type MonitorPrograms,
  monitoredIds,
  pidFile,
  spawnMonitor,
} from './monitor.ts'
import {
  chooseOciRuntime,
  describeRuntimes,
  findConmon,
  programVersion,
  type RuntimeChoice,
  type RuntimeDescription,
} from './oci-runtime.ts'
import { reopenLog } from './reopen-log.ts'
import { encodeOci, type OciLimits, readHostFacts } from './spec/index.ts'
import type {
  ContainerExit,
  CreatedProcess,
  CreateInput,
  ExecInput,
  Recovered,
  Runtime,
  RuntimeAttach,
  RuntimeExec,
} from './types.ts'
import { readUsage } from './usage.ts'
import { cgroupWarmUp } from './warm-up.ts'

export interface RuntimeOptions {
  readonly choice: RuntimeChoice
  /** The daemon's run directory, on a mount that the thread shares. */
  readonly runDir: string
  /** Must serve `spawnOps` and `usageOps`. */
  readonly thread: KernelThread
  readonly hierarchies: readonly Hierarchy[]
  /** Parent of the containers' cgroups; conmons are in its `conmon`. */
  readonly cgroupParent: string
  readonly log: Logger
}

const SIGKILL = 9
const CONTROL_TIMEOUT_MS = 60_000
/** Where a lost exit code is reported as one. */
const LOST_EXIT_CODE = 255

/** A container with a monitor, from create or recover to delete. */
interface Watched {
  readonly bundle: string
  readonly monitor: Monitor
  /** In the OCI state `created`, so that its end is an exit; undefined if it cannot be. */
  readonly process: Promise<CreatedProcess | undefined>
  /** crun, and no hooks to run after the start. */
  readonly startsByFifo: boolean
  /** Its process, too: its monitor has reaped it. */
  hasEnded: boolean
}

/** crun or runc, whichever `choice` and the host allow, under conmon. */
export async function createRuntime(_ctx: Ctx, options: RuntimeOptions): Promise<Runtime> {
  const { thread, choice, runDir } = options
  const conmon = findConmon()
  const oci = await chooseOciRuntime(thread, choice, runDir)
  const exitDir = join(runDir, 'exits')
  makeDirectories({ exitDir, oci })
  const { hierarchies } = options
  const leaf = leafCgroup(containerCgroup(options.cgroupParent, 'conmon'), hierarchies)
  const threadId = await spawningThreadId(thread)
  adoptOrphans()
  return new ConmonRuntime(options, { conmon, oci, exitDir }, hierarchies, leaf, threadId)
}

class ConmonRuntime implements Runtime {
  readonly name: 'crun' | 'runc'
  readonly ready: Promise<{ readonly version: string }>
  readonly host = readHostFacts()
  readonly parts = { rootfs: 'caller', network: 'caller', monitor: 'conmon' } as const
  readonly takesSeccompBpf: boolean
  readonly warmUp: () => void

  readonly #options: RuntimeOptions
  readonly #programs: MonitorPrograms
  readonly #hierarchies: readonly Hierarchy[]
  readonly #leaf: LeafCgroup
  readonly #threadId: number
  readonly #watched = new Map<string, Watched>()
  /** Of an earlier daemon, by bundle; each is taken out by recover or delete. */
  readonly #found: Map<string, Monitor>
  readonly #listeners: ((exit: ContainerExit) => void)[] = []
  /** By bundle: a conmon is told one thing at a time. */
  readonly #telling = new KeyedLock()
  readonly #sizes = new Map<string, TerminalSize>()

  constructor(
    options: RuntimeOptions,
    programs: MonitorPrograms,
    hierarchies: readonly Hierarchy[],
    leaf: LeafCgroup,
    threadId: number,
  ) {
    this.#options = options
    this.#programs = programs
    this.#hierarchies = hierarchies
    this.#leaf = leaf
    this.#threadId = threadId
    this.#found = findMonitors(programs.exitDir)
    this.name = programs.oci.name
    this.ready = this.#prepare()
    // Whoever waits for it is told.
    this.ready.catch(() => {})
    this.takesSeccompBpf = programs.oci.name === 'crun'
    this.warmUp = cgroupWarmUp(hierarchies)
  }

  ensureDirectories(): void {
    makeDirectories(this.#programs)
  }

  /** Some 20 ms each, in the program and in the kernel. */
  async #prepare(): Promise<{ readonly version: string }> {
    const { name, path } = this.#programs.oci
    const [version] = await Promise.all([
      programVersion(this.#options.thread, name, path),
      this.#leaf.adoptThread(this.#threadId),
    ])
    return { version }
  }

  async create(ctx: Ctx, input: CreateInput): Promise<CreatedProcess> {
    const { id, bundle, spec } = input
    failpoint('runtime.bundle')
    mkdirSync(bundle, { recursive: true, mode: 0o700 })
    writeFileSync(join(bundle, 'config.json'), encodeOci(spec), { mode: 0o600 })
    failpoint('runtime.create')
    const { monitor, created } = await spawnMonitor(ctx, this.#options.thread, this.#programs, input)
    const process = created.then(identify)
    const startsByFifo = this.name === 'crun' && !('hooks' in spec)
    this.#watch(id, { bundle, monitor, process: process.catch(() => undefined), startsByFifo, hasEnded: false })
    const result = await process
    void this.#leaf.adoptProcess(monitor.pid).catch((error) => {
      if (systemCode(error) === 'ESRCH') return
      this.#options.log.warn('a conmon stays in the cgroup of the daemon', { containerId: id, error })
    })
    return result
  }

  usage(ctx: Ctx, targets: readonly UsageTarget[]): Promise<readonly (Usage | undefined)[]> {
    return readUsage(ctx, this.#options.thread, targets)
  }

  async start(_ctx: Ctx, id: string): Promise<void> {
    failpoint('runtime.start')
    const { root, run } = this.#programs.oci
    if (this.#watched.get(id)?.startsByFifo && releaseByFifo(join(root, id))) return
    await run(['start', id])
  }

  async update(_ctx: Ctx, id: string, bundle: string, limits: OciLimits): Promise<void> {
    failpoint('runtime.update')
    const file = join(bundle, 'limits.json')
    await writeFile(file, JSON.stringify(limits), { mode: 0o600 })
    try {
      await this.#programs.oci.run(['update', '--resources', file, id])
    } finally {
      await rm(file, { force: true })
    }
  }

  async processes(id: string): Promise<readonly ProcessRow[]> {
    const cgroup = containerCgroup(this.#options.cgroupParent, id)
    const rows = await Promise.all(cgroupProcesses(cgroup, this.#hierarchies).map(processRow))
    return rows.filter((row) => row !== undefined)
  }

  async pause(_ctx: Ctx, id: string): Promise<void> {
    failpoint('runtime.pause')
    // The runtime's, because it waits until all have come to a stop, and there is no event for that in version 1.
    await this.#programs.oci.run(['pause', id])
  }

  async resume(bundle: string): Promise<void> {
    const cgroup = cgroupOf(bundle)
    if (cgroup !== undefined) thaw(cgroup, this.#hierarchies)
  }

  signal(pid: number, pidStartTime: number, signal: number): boolean {
    return signalProcess(pid, pidStartTime, signal)
  }

  async exec(_ctx: Ctx, id: string, input: ExecInput): Promise<RuntimeExec> {
    return await execInContainer(this.#options.thread, this.#programs.oci, id, input)
  }

  attach(bundle: string): RuntimeAttach {
    return attachTo(bundle)
  }

  async resize(bundle: string, size: TerminalSize): Promise<void> {
    this.#sizes.set(bundle, size)
    const ctx = { signal: AbortSignal.timeout(CONTROL_TIMEOUT_MS), log: this.#options.log }
    using _lock = await this.#telling.hold(ctx, bundle)
    // Of several that have come meanwhile, the last one counts.
    const latest = this.#sizes.get(bundle)
    this.#sizes.delete(bundle)
    if (latest === undefined) return
    await tellConmon(bundle, `1 ${latest.rows} ${latest.columns}\n`).catch((error) => {
      if (!['ENXIO', 'ENOENT', 'EPIPE'].includes(systemCode(error) ?? '')) throw error
    })
  }

  onExit(listener: (exit: ContainerExit) => void): void {
    this.#listeners.push(listener)
  }

  async recover(
    _ctx: Ctx,
    { id, bundle, pid, pidStartTime }: { id: string; bundle: string } & CreatedProcess,
  ): Promise<Recovered> {
    const monitor = this.#found.get(bundle)
    this.#found.delete(bundle)
    if (monitor?.signal(0)) {
      const process = Promise.resolve({ pid, pidStartTime })
      this.#watch(id, { bundle, monitor, process, startsByFifo: false, hasEnded: false })
      return { state: 'running', paused: this.#isPaused(id, bundle) }
    }
    monitor?.[Symbol.dispose]()
    const exit = readExitFile(this.#exitFile(id))
    if (exit === undefined) {
      await endUnwatched({ pid, pidStartTime })
      return { state: 'lost' }
    }
    return { state: 'exited', ...exit, oomKilled: this.#wasOomKilled(bundle) }
  }

  inspect(id: string, bundle: string, { pid, pidStartTime }: CreatedProcess): { gone?: string; faults: string[] } {
    if (!signalProcess(pid, pidStartTime, 0)) return { gone: `its process ${pid} is gone`, faults: [] }
    const watched = this.#watched.get(id)
    const files = [join(this.#programs.oci.root, id), ...['config.json', 'attach', 'ctl'].map((it) => join(bundle, it))]
    return {
      faults: [
        ...(watched?.monitor.signal(0) ? [] : ['nothing watches it: its monitor is gone']),
        ...(hasCgroup(this.#cgroup(id), this.#hierarchies) ? [] : [`its cgroup ${this.#cgroup(id)} is gone`]),
        ...files.filter((file) => !existsSync(file)).map((file) => `${file} is gone`),
      ],
    }
  }

  leftovers(id: string, bundle: string): string[] {
    const files = [join(this.#programs.oci.root, id), this.#exitFile(id)]
    return [
      ...(this.#watched.has(id) || this.#found.has(bundle) ? ['its monitor was not ended'] : []),
      ...(hasCgroup(this.#cgroup(id), this.#hierarchies) ? [`its cgroup ${this.#cgroup(id)} is still there`] : []),
      ...files.filter((file) => existsSync(file)).map((file) => `${file} is still there`),
    ]
  }

  list(monitors: 'running' | 'unclaimed'): { id: string; what: string }[] {
    const { exitDir, oci } = this.#programs
    return [
      ...readdirSync(oci.root).map((id) => ({ id, what: `${join(oci.root, id)} is there` })),
      ...readdirSync(exitDir).map((id) => ({ id, what: `${join(exitDir, id)} is there` })),
      ...(monitors === 'running' ? monitoredIds(exitDir) : [...this.#found.values()].map(({ id }) => id)).map((id) => ({
        id,
        what: 'a conmon watches it',
      })),
    ].filter(({ id }) => /^[0-9a-f]{64}$/.test(id))
  }

  describe(): Promise<readonly RuntimeDescription[]> {
    return describeRuntimes(this.#options.thread, this.#options.choice, this.name)
  }

  async reopenLog(bundle: string): Promise<void> {
    const watched = [...this.#watched.values()].find((watched) => watched.bundle === bundle)
    if (watched === undefined) throw new StatusError('not_found', `No container runs from ${bundle}`)
    const ctx = { signal: AbortSignal.timeout(CONTROL_TIMEOUT_MS), log: this.#options.log }
    using _lock = await this.#telling.hold(ctx, bundle)
    await reopenLog(bundle, watched.monitor.logFile)
  }

  async delete(_ctx: Ctx, id: string, bundle: string): Promise<void> {
    failpoint('runtime.delete')
    const watched = this.#watched.get(id)
    const monitor = watched?.monitor ?? this.#found.get(bundle)
    this.#watched.delete(id)
    this.#found.delete(bundle)
    // What is frozen cannot end.
    await this.resume(bundle)
    if (monitor !== undefined && !existsSync(pidFile(bundle))) await endUnfinished(monitor, this.#programs.oci, id)
    if (watched?.hasEnded && !hasHooks(bundle)) this.#dropState(id)
    else await this.#deleteState(id)
    if (monitor !== undefined) await endMonitor(monitor)
    monitor?.[Symbol.dispose]()
    await removeCgroup(cgroupOf(bundle) ?? this.#cgroup(id), this.#hierarchies)
    const files = [...MONITOR_FILES, 'config.json'].map((name) => join(bundle, name))
    for (const file of [this.#exitFile(id), ...files]) rmSync(file, { force: true })
  }

  async deleteStray(ctx: Ctx, id: string, bundle: string): Promise<void> {
    for (const [found, monitor] of findMonitors(this.#programs.exitDir)) {
      if (found === bundle && !this.#found.has(found)) this.#found.set(found, monitor)
      else monitor[Symbol.dispose]()
    }
    await this.delete(ctx, id, bundle)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { monitor } of this.#watched.values()) monitor[Symbol.dispose]()
    for (const monitor of this.#found.values()) monitor[Symbol.dispose]()
    this.#watched.clear()
    this.#found.clear()
    this.#leaf.release(this.#threadId)
  }

  /**
   * What the runtime's `delete` does of a container without hooks whose process has ended, without the process: its
   * cgroup, and who may be left in that, is our business anyway.
   */
  #dropState(id: string): void {
    rmSync(join(this.#programs.oci.root, id), { recursive: true, force: true })
  }

  async #deleteState(id: string): Promise<void> {
    const { root, run } = this.#programs.oci
    const state = join(root, id)
    if (!existsSync(state)) return
    try {
      await run(['delete', '--force', id])
    } finally {
      // What a create that was killed has left may be too little for the runtime to know the container.
      if (!existsSync(join(state, 'status')) && !existsSync(join(state, 'state.json'))) {
        await rm(state, { recursive: true, force: true })
      }
    }
  }

  #watch(id: string, watched: Watched): void {
    this.#watched.set(id, watched)
    void watched.monitor.end
      .then(() => this.#monitorEnded(id, watched))
      .catch((error) =>
        this.#options.log.error('the end of a container could not be settled', { containerId: id, error }),
      )
  }

  async #monitorEnded(id: string, watched: Watched): Promise<void> {
    const process = await watched.process
    if (process === undefined || this.#watched.get(id) !== watched) return
    const exit = readExitFile(this.#exitFile(id))
    if (exit === undefined) await endUnwatched(process)
    else watched.hasEnded = true
    const oomKilled = this.#wasOomKilled(watched.bundle)
    if (this.#watched.get(id) !== watched) return
    const facts = exit ?? {
      exitCode: LOST_EXIT_CODE,
      finishedAt: Date.now(),
      reason: 'LostExitCode',
      message: 'its monitor was killed, and the container with it',
    }
    for (const listener of this.#listeners) listener({ id, oomKilled, ...facts })
  }

  /** Where its cgroup is not where it would be made now, its config.json tells. */
  #isPaused(id: string, bundle: string): boolean {
    const frozen = isFrozen(this.#cgroup(id), this.#hierarchies)
    if (frozen !== undefined) return frozen
    const cgroup = cgroupOf(bundle)
    return cgroup !== undefined && isFrozen(cgroup, this.#hierarchies) === true
  }

  #cgroup(id: string): string {
    return containerCgroup(this.#options.cgroupParent, id)
  }

  #exitFile(id: string): string {
    return join(this.#programs.exitDir, id)
  }

  #wasOomKilled(bundle: string): boolean {
    const cgroup = cgroupOf(bundle)
    return cgroup !== undefined && oomKills(cgroup, this.#hierarchies) > 0
  }
}

function makeDirectories({ exitDir, oci }: Pick<MonitorPrograms, 'exitDir' | 'oci'>): void {
  for (const directory of [exitDir, oci.root]) mkdirSync(directory, { recursive: true, mode: 0o700 })
}

/** A container that nobody watches writes no log, and its output blocks: it is not left running. */
async function endUnwatched({ pid, pidStartTime }: CreatedProcess): Promise<void> {
  using pidfd = Pidfd.open(pid, pidStartTime)
  if (pidfd?.signal(SIGKILL)) await pidfd.end
  // Without its monitor, it has become a child of ours.
  tryReap(pid)
}

function identify(pid: number): CreatedProcess {
  const stat = processStat(pid)
  if (stat === undefined) throw new StatusError('internal', 'The container ended before it was started')
  return { pid, pidStartTime: stat.startTime }
}
