import type { Readable, Writable } from 'node:stream'
import type { Ctx } from '../lib/ctx.ts'
import type { StatusError } from '../lib/errors.ts'
import type { Usage, UsageTarget } from '../linux/cgroup-usage.ts'
import type { ProcessRow } from '../linux/process-table.ts'
import type { TerminalSize } from '../model/terminal-size.ts'
import type { RuntimeDescription } from './oci-runtime.ts'
import type { HostFacts, OciLimits, OciProcess, OciSpec } from './spec/index.ts'

/** Who does what: adapters differ in it, and nothing above may assume one way. */
export interface RuntimeParts {
  /** Who mounts the root filesystem at `spec.root.path` before `create`. */
  readonly rootfs: 'caller' | 'runtime'
  /** Who makes the network namespace that the spec names, and what is in it. */
  readonly network: 'caller' | 'runtime'
  /** Which process holds the container's stdio, writes its log and learns its exit code. */
  readonly monitor: 'conmon' | 'shim'
}

export interface CreateInput {
  readonly id: string
  /** Directory; exists or is made. Sockets are made in it: at most 90 bytes. */
  readonly bundle: string
  readonly spec: OciSpec
  /** Written in CRI format by the monitor. */
  readonly logFile: string
  readonly tty: boolean
  readonly openStdin: boolean
  /** The first attached client that ends its input, or goes, ends the container's. Not with a terminal. */
  readonly stdinOnce?: boolean
}

export interface CreatedProcess {
  readonly pid: number
  readonly pidStartTime: number
}

/** How a container's process ended. */
export interface ContainerExit {
  readonly id: string
  /** 128 + signal for a killed process. */
  readonly exitCode: number
  readonly oomKilled: boolean
  /** ms */
  readonly finishedAt: number
  /** `LostExitCode`, where `exitCode` is not the process's own. */
  readonly reason?: string
  readonly message?: string
}

export interface ExecInput {
  readonly bundle: string
  /** With `terminal`, the process gets one. */
  readonly process: OciProcess
  /** Whether it gets an input of its own; one with a terminal always does. */
  readonly stdin: boolean
  /** Of the terminal. */
  readonly size?: TerminalSize
}

export interface ExecExit {
  readonly exitCode: number
  /** Set if the command could not be run: 127 if it is not there, else 126. The runtime has said so on stderr too. */
  readonly error?: StatusError
}

/** A process run in a container. Both outputs must be read: one that is not read stops the process, as at any pipe. */
export interface RuntimeExec {
  /** What is written after the process's end is dropped. */
  readonly stdin?: Writable
  /** With a terminal, all that the process writes; and `stderr` has what the runtime says, at most. */
  readonly stdout: Readable
  readonly stderr: Readable
  readonly exit: Promise<ExecExit>
  /** On the host; undefined after the process's end, and with a terminal for the moment before it is known. */
  readonly pid: number | undefined
  /** Of its terminal, if it has one. */
  resize(size: TerminalSize): void
  /** Resolves with false if the process has ended, or could not be run. */
  signal(signal: number): Promise<boolean>
}

/** The streams of a running container. Disposing lets go of them. */
export interface RuntimeAttach extends Disposable {
  /** Goes nowhere in a container whose stdin is not open. Ending it closes that of one with `stdinOnce`. */
  readonly stdin: Writable
  /**
   * Begins to read. Called for each packet, in order, which is in memory that is used again; a container with a
   * terminal has stdout only.
   */
  onOutput(listener: (stream: OutputStream, bytes: Buffer) => void): void
  /** Called when there is no more output, because the container has ended or this was disposed. */
  onEnd(listener: () => void): void
  /** The container waits, too, as soon as the socket is full. */
  pause(): void
  resume(): void
}

export type OutputStream = 'stdout' | 'stderr'

export type Recovered =
  | { readonly state: 'running'; readonly paused: boolean }
  | {
      readonly state: 'exited'
      readonly exitCode: number
      readonly oomKilled: boolean
      readonly finishedAt: number
    }
  /** Its monitor is gone, and with it the exit code; the process has been ended if it still ran. */
  | { readonly state: 'lost' }

/** Runs containers with one OCI runtime. Disposing leaves them running. */
export interface Runtime extends AsyncDisposable {
  readonly name: 'crun' | 'runc'
  /**
   * Resolves with the program's version when containers may be created; all else may be asked for before.
   * @throws {StatusError} if the program cannot be run
   */
  readonly ready: Promise<{ readonly version: string }>
  readonly host: HostFacts
  /** Makes the directories in the run directory again that somebody has removed. */
  ensureDirectories(): void
  readonly parts: RuntimeParts
  /** Whether a spec may carry its seccomp filter compiled, in an annotation. */
  readonly takesSeccompBpf: boolean

  /**
   * Writes the bundle and brings the container to the OCI state `created`: its process waits for start. What a failed
   * create leaves, `delete` takes away.
   * @throws {StatusError} with the runtime's own message; `invalid_argument` if the command cannot run
   */
  create(ctx: Ctx, input: CreateInput): Promise<CreatedProcess>
  /** Resolves when the process has been let go. */
  start(ctx: Ctx, id: string, bundle: string): Promise<void>
  /** Those in its cgroup and below it; pids are the host's. */
  processes(id: string): Promise<readonly ProcessRow[]>
  /** Changes the limits of a container that runs. */
  update(ctx: Ctx, id: string, bundle: string, limits: OciLimits): Promise<void>
  /** Freezes all processes of a container; resolves when they stand still. */
  pause(ctx: Ctx, id: string): Promise<void>
  /** Lets them go on. Idempotent, also for a container that is gone. */
  resume(bundle: string): Promise<void>
  /** To exactly that process; false if it is gone. */
  signal(pid: number, pidStartTime: number, signal: number): boolean
  /**
   * Ends the container and its monitor, and removes all that `create` made but the bundle's directory and the log.
   * Idempotent, also for a container half made or half deleted. Its exit is not reported any more.
   */
  delete(ctx: Ctx, id: string, bundle: string): Promise<void>
  /** Resolves when the process runs, or could not be run: that is told by `exit`. */
  exec(ctx: Ctx, id: string, input: ExecInput): Promise<RuntimeExec>
  /** Connects to a container between `create` and its end. What it has written before is not repeated. */
  attach(bundle: string): RuntimeAttach
  /** Of the container's terminal. Does nothing if the container has ended. */
  resize(bundle: string, size: TerminalSize): Promise<void>
  /** Called once for every container whose process ends after `create` or `recover`, within ms of its end. */
  onExit(listener: (exit: ContainerExit) => void): void
  /** At boot, for a container that an earlier daemon created: watches it again, or tells how it ended. */
  recover(ctx: Ctx, container: { id: string; bundle: string } & CreatedProcess): Promise<Recovered>
  /** What these containers use now, one after the other; undefined where a cgroup is gone. */
  usage(ctx: Ctx, targets: readonly UsageTarget[]): Promise<readonly (Usage | undefined)[]>
  /** What of a container that runs is not as it should be, in words: `gone` if its process is. Nothing is changed. */
  inspect(id: string, bundle: string, process: CreatedProcess): { readonly gone?: string; readonly faults: string[] }
  /** What `delete` would take away of a container that does not run, in words. */
  leftovers(id: string, bundle: string): string[]
  /** As `delete`, for a container that this process knows nothing of: looks at every process for its monitor. */
  deleteStray(ctx: Ctx, id: string, bundle: string): Promise<void>
  /**
   * All that there is of any container, in words, by its id; of monitors those that run now, or at boot those that were
   * found and that nobody has claimed.
   */
  list(monitors: 'running' | 'unclaimed'): { readonly id: string; readonly what: string }[]
  /** Resolves when the monitor, told that its log file was renamed, writes to a new one. */
  reopenLog(bundle: string): Promise<void>
  /** What there is to choose from, and why this one was. */
  describe(): Promise<readonly RuntimeDescription[]>
  /** Call when a start is coming: the kernel's first move of a process to a cgroup waits, and can do so meanwhile. */
  warmUp(): void
}
