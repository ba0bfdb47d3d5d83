import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Backoff, backoffMs } from '../lib/backoff.ts'
import { StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Logger } from '../lib/log.ts'
import { closeFd, pipe } from '../linux/fd.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { type SpawnedProcess, spawnProcess } from '../linux/spawn.ts'
import { ControlConnection } from './connection.ts'
import { controlSocket, recordsFile } from './control.ts'
import { lines } from './lines.ts'
import type { DnsRecords } from './records.ts'
import type { Failures } from './server.ts'

/** Its heap is small and stays so: 10 MB of its own instead of 20. V8's tier-up of WebAssembly: see docs/adr/0016. */
const NODE_FLAGS = [
  '--no-wasm-dynamic-tiering',
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--disable-warning=ExperimentalWarning',
]
/** A broken one ends at once; a slow machine takes its time. */
const START_MS = 30_000
/** The daemon waits no longer for its end. */
const END_MS = 1000
const RETRY: Backoff = { firstMs: 100, maxMs: 30_000, jitter: 0.2 }
/** One that lives shorter has not started well. */
const STABLE_MS = 10_000

export interface NameServerOptions {
  /** Below the run directory: the records, the socket and the log of the server's process. */
  readonly directory: string
  /** The process's program, dns/main. */
  readonly entry: URL
  /** A process of another version is replaced. */
  readonly version: string
  readonly thread: KernelThread
  readonly log: Logger
  /** What is to be known, as of now. */
  readonly records: () => DnsRecords
  /** Told of each new process, so that it is not in a cgroup that ends with the daemon. */
  readonly onStart: (pid: number) => Promise<void>
}

/**
 * The daemon's side of the name server: keeps the records file as the records are, and a process that answers from it.
 * There is none before something can be looked up. A process that an earlier daemon left is taken over.
 */
export class NameServer implements AsyncDisposable {
  readonly #options: NameServerOptions
  /** Watched for their ends, which keeps this process from its own. */
  readonly #children = new Set<SpawnedProcess>()
  #connection: ControlConnection | undefined
  #written: string | undefined
  #applied: string | undefined
  #failures: Failures = {}
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #faults = 0
  #retry: NodeJS.Timeout | undefined
  #disposed = false

  constructor(options: NameServerOptions) {
    this.#options = options
  }

  /**
   * Resolves when all that is in the records at the call can be looked up. If it cannot be, that is logged and tried
   * again: what waits for this is more than a name. Those who come while a change is under way share the next one.
   */
  sync(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      this.#running = this.#apply().then(
        () => this.#settled(),
        (error: unknown) => this.#failed(error),
      )
      return this.#running
    })
    return this.#next
  }

  /** Whether a container may be told to ask there. */
  serves(gateway: string): boolean {
    return this.#connection !== undefined && !(gateway in this.#failures)
  }

  /** The process goes on, unless there is nothing that could be looked up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    clearTimeout(this.#retry)
    await this.sync()
    clearTimeout(this.#retry)
    for (const child of this.#children) child[Symbol.dispose]()
    const connection = this.#connection
    if (connection === undefined) return
    if (isEmpty(this.#options.records())) {
      await rm(controlSocket(this.#options.directory), { force: true })
      await Promise.race([connection.ended, sleep(END_MS, undefined, { ref: false })])
    }
    connection[Symbol.dispose]()
  }

  async #apply(): Promise<void> {
    const records = this.#options.records()
    const text = JSON.stringify(records)
    this.#connection ??= await this.#adopt()
    if (this.#connection === undefined && (this.#disposed || isEmpty(records))) return
    if (text !== this.#written) await this.#write(text)
    this.#connection ??= await this.#start()
    if (text === this.#applied) return
    this.#applied = undefined
    this.#failures = await this.#connection.reload()
    this.#applied = text
    for (const [gateway, reason] of Object.entries(this.#failures)) {
      this.#options.log.warn('cannot answer DNS at a gateway; new containers ask the servers of the host', {
        gateway,
        reason,
      })
    }
  }

  async #write(text: string): Promise<void> {
    const { directory } = this.#options
    failpoint('dns.records')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(`${recordsFile(directory)}.new`, text, { mode: 0o600 })
    await rename(`${recordsFile(directory)}.new`, recordsFile(directory))
    this.#written = text
  }

  /** A process of this version that is there already. */
  async #adopt(): Promise<ControlConnection | undefined> {
    const { directory, version } = this.#options
    const connection = await ControlConnection.open(controlSocket(directory))
    if (connection?.version === version) return this.#use(connection)
    connection?.[Symbol.dispose]()
    return undefined
  }

  /** Resolves when it answers: one of another version goes on until then, on the same ports. */
  async #start(): Promise<ControlConnection> {
    const { directory, entry, version, thread, log, onStart } = this.#options
    failpoint('dns.start')
    const { readEnd, writeEnd } = pipe()
    const output = new Socket({ fd: readEnd, readable: true, writable: false })
    const node = process.execPath
    const child = await spawnProcess(thread, {
      path: node,
      argv: [node, ...NODE_FLAGS, fileURLToPath(entry), directory, version],
      env: ['PATH', 'NODE_COMPILE_CACHE'].flatMap((name) =>
        process.env[name] ? [`${name}=${process.env[name]}`] : [],
      ),
      stdio: ['null', writeEnd, { append: join(directory, 'log') }],
      cwd: '/',
    }).finally(() => closeFd(writeEnd))
    this.#children.add(child)
    void child.exit.then((exitCode) => {
      this.#children.delete(child)
      log.debug('a process of the name server has ended', { pid: child.pid, exitCode })
    })
    await onStart(child.pid)
    const timeout = setTimeout(() => output.destroy(), START_MS)
    const first = await lines(output)
      .next()
      .catch(() => undefined)
    clearTimeout(timeout)
    output.destroy()
    const connection = first?.value === 'ready' ? await ControlConnection.open(controlSocket(directory)) : undefined
    if (connection === undefined) {
      child.signal(9)
      throw new StatusError('unavailable', `The name server does not start: see ${join(directory, 'log')}`)
    }
    log.info('started the name server', { pid: child.pid })
    return this.#use(connection)
  }

  #use(connection: ControlConnection): ControlConnection {
    const since = performance.now()
    this.#applied = undefined
    void connection.ended.then(() => {
      if (this.#connection !== connection) return
      this.#connection = undefined
      // Its file may have gone with it.
      this.#written = undefined
      if (this.#disposed) return
      this.#options.log.warn('the name server has ended; starting it again')
      this.#tryAgain(performance.now() - since < STABLE_MS)
    })
    return connection
  }

  #settled(): void {
    if (this.#applied !== undefined && this.#retry === undefined) this.#faults = 0
  }

  #failed(error: unknown): void {
    this.#options.log.error('the name server does not know the containers; trying again', { error })
    this.#connection?.[Symbol.dispose]()
    this.#connection = undefined
    this.#tryAgain(true)
  }

  #tryAgain(wait: boolean): void {
    if (this.#disposed) return
    clearTimeout(this.#retry)
    const delayMs = wait ? backoffMs(RETRY, ++this.#faults) : 0
    this.#retry = setTimeout(() => void this.sync(), delayMs).unref()
  }
}

function isEmpty({ networks }: DnsRecords): boolean {
  return networks.length === 0
}
