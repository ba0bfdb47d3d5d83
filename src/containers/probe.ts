import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../lib/ctx.ts'
import { deadline } from '../lib/deadline.ts'
import { messageOf } from '../lib/errors.ts'
import { limiter } from '../lib/limiter.ts'
import type { Container } from '../model/container.ts'
import { type Healthcheck, probeArgs } from '../model/healthcheck.ts'
import { endTree, type OciSpec, ociExecProcess, type RuntimeExec } from '../runtime/index.ts'
import type { Deps } from './deps.ts'

/** How a probe ended. Times are ms. */
export interface ProbeResult {
  readonly startedAt: number
  readonly finishedAt: number
  /** 0: well. -1: it was not ended in time, or could not be run. */
  readonly exitCode: number
  /** The first 4 KiB of what it wrote. */
  readonly output: string
}

/** A command that a container is asked with, or told something. */
export interface ProbeCommand {
  readonly args: readonly string[]
  /** Absent: only the context ends it. */
  readonly timeoutMs?: number | undefined
}

/** How it ended. */
export interface CommandResult extends Pick<ProbeResult, 'exitCode' | 'output'> {
  /** It could not be run, which tells nothing of what it asks: it is not there, or the container has ended. */
  readonly notRun?: true
}

/** Runs probes in turn: how many may begin at once is bounded. */
export type ProbeTurns = <T>(run: () => Promise<T>) => Promise<T>

const BEGUN_AT_ONCE = 8
/** One that takes longer gives its place to the next. */
const PLACE_MS = 1000

const OUTPUT_LIMIT_BYTES = 4096
/** Whoever writes more than that has its output closed: reading it would cost the daemon more than the probe is worth. */
const READ_LIMIT_BYTES = 1024 * 1024
/** After its end what it wrote is in the pipes; a process that it has left behind may hold them open. */
const DRAIN_MS = 100

export function probeTurns(): ProbeTurns {
  const place = limiter(BEGUN_AT_ONCE)
  return <T>(run: () => Promise<T>) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    void place(async () => {
      const ended = run().then(resolve, reject)
      await Promise.race([ended, sleep(PLACE_MS, undefined, { ref: false })])
    })
    return promise
  }
}

/** Runs the test of a container that runs. The end of the context ends it; never rejects. */
export async function probe(ctx: Ctx, deps: Deps, container: Container, check: Healthcheck): Promise<ProbeResult> {
  const startedAt = Date.now()
  const command = { args: probeArgs(check), timeoutMs: check.timeoutMs }
  const { exitCode, output } = await runCommand(ctx, deps, container, command)
  return { startedAt, finishedAt: Date.now(), exitCode, output }
}

/** Runs a command in a container that runs. The end of the context ends it, with all that it has begun; never rejects. */
export async function runCommand(
  ctx: Ctx,
  deps: Deps,
  container: Container,
  command: ProbeCommand,
): Promise<CommandResult> {
  using within = deadline(ctx.signal, command.timeoutMs ?? Infinity)
  return await run(deps, container, command, within.signal).catch((error) => ({
    ...failed(messageOf(error)),
    notRun: true,
  }))
}

async function run(
  deps: Deps,
  container: Container,
  command: ProbeCommand,
  ending: AbortSignal,
): Promise<CommandResult> {
  const id = container.metadata.uid
  const bundle = deps.paths.bundle(id)
  const { process } = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')) as OciSpec
  if (ending.aborted) return tooLate(command)
  const input = { bundle, process: ociExecProcess(process, { args: command.args }), stdin: false }
  const starting = deps.runtime.exec({ signal: ending, log: deps.log }, id, input)
  const end = (running: RuntimeExec) => endProbe(running, container)
  const running = await Promise.race([starting, ended(ending)])
  if (running === undefined) {
    void starting.then(end, () => {})
    return tooLate(command)
  }
  const output = new Output()
  const read = Promise.all([output.read(running.stdout), output.read(running.stderr)])
  const exit = await Promise.race([running.exit, ended(ending)])
  if (exit !== undefined) await Promise.race([read, sleep(DRAIN_MS, undefined, { ref: false })])
  else end(running)
  for (const stream of [running.stdout, running.stderr]) stream.destroy()
  if (exit === undefined) return tooLate(command, output.text)
  return { exitCode: exit.exitCode, output: output.text, ...(exit.error !== undefined && { notRun: true }) }
}

function endProbe(running: RuntimeExec, { status }: Container): void {
  if (running.pid !== undefined && status.pid !== undefined) endTree(running.pid, status.pid)
  // Also where the runtime has not told yet which process it is.
  void running.signal(SIGKILL)
}

const SIGKILL = 9

function tooLate({ timeoutMs }: ProbeCommand, output = '') {
  const why = timeoutMs === undefined ? 'was ended before it was done' : `took longer than ${timeoutMs / 1000} s`
  return failed(`${output}${output === '' ? '' : '\n'}The command ${why}`)
}

function failed(output: string) {
  return { exitCode: -1, output: output.slice(0, OUTPUT_LIMIT_BYTES) }
}

/** Both streams in one, cut. */
class Output {
  readonly #kept: Buffer[] = []
  #length = 0

  get text(): string {
    return Buffer.concat(this.#kept).toString()
  }

  async read(stream: Readable): Promise<void> {
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        const room = OUTPUT_LIMIT_BYTES - this.#length
        if (room > 0) this.#kept.push(chunk.subarray(0, room))
        this.#length += chunk.length
        if (this.#length > READ_LIMIT_BYTES) return
      }
    } catch {
      // It was closed: what was read is kept.
    }
  }
}

function ended(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
