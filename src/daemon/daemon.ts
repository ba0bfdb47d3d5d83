import { setTimeout as sleep } from 'node:timers/promises'
import { HttpServer, type HttpServerOptions } from '../api/http/server.ts'
import { metricsRoute, RequestDurations } from '../api/metrics/index.ts'
import { raindApi } from '../api/raind/index.ts'
import { keepCompiledCode } from '../lib/compile-cache.ts'
import type { Ctx } from '../lib/ctx.ts'
import { messageOf, StatusError } from '../lib/errors.ts'
import { jsonLogger, type Logger } from '../lib/log.ts'
import { version } from '../lib/version.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'
import { notifySystemd } from '../linux/sd-notify.ts'
import { type Config, readConfig } from './config.ts'
import { describeDaemon } from './describe.ts'
import { openEngine } from './engine.ts'
import { guardRunDirectory } from './guard-run.ts'
import type { MetricsDoorOptions } from './metrics-door.ts'
import { startSelfChecks } from './self-check.ts'
import { openTlsDoor } from './tls-door.ts'
import { unixCaller } from './unix-caller.ts'

/** What runs when the daemon is told to end may take this long; the rest of the 10 s is for taking things apart. */
const DRAIN_MS = 7000
const EXIT_MS = 9500

/** Runs the daemon until SIGTERM or SIGINT, then ends the thread. Containers go on running. Sets the process's exit code. */
export async function main(words: readonly string[], thread: KernelThread): Promise<void> {
  await using _thread = thread
  const config = await configOrExit(words)
  if (config === undefined) return
  const log = jsonLogger(config.logLevel)
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  process.on('unhandledRejection', (error) => log.error('a promise was rejected and nobody looked', { error }))
  try {
    await serve({ signal: stopping.signal, log }, config, thread)
  } catch (error) {
    log.error('the daemon ends', { error: error instanceof StatusError ? error.message : error })
    process.exitCode = 1
  }
}

/** What changes the machine runs in a context of its own: it is cancelled only when the time to finish has run out. */
async function serve({ signal, log }: Ctx, config: Config, thread: KernelThread): Promise<void> {
  const cutOff = new AbortController()
  const ctx: Ctx = { signal: cutOff.signal, log }
  await using engine = await openEngine(ctx, config, thread)
  const { containers, images, resources, bottles, runtime, store } = engine
  const { listen, certDir, socket } = config
  // Whatever the log level: what an audit log leaves out has not happened.
  const auditLog = jsonLogger('info')
  const program = { version, runtime: { name: runtime.name, ...(await runtime.ready) } }
  const info = { ...program, describe: () => describeDaemon(config, engine) }
  const requests = new RequestDurations()
  const metrics = metricsRoute({ ...engine, requests, info: program })
  const frontEnd = raindApi({ containers, images, resources, bottles, store, info, ctx, more: [metrics] })
  const onAnswered: HttpServerOptions['onAnswered'] = (answered) => requests.observe(answered)
  await using server = new HttpServer({ frontEnd, identify: unixCaller, log, auditLog, onAnswered })
  await server.listenUnix(socket)
  using run = guardRunDirectory({ config, engine, server, log })
  await engine.settled
  using tls = listen && (await openTlsDoor({ address: listen, certDir, server, log, auditLog }))
  const { errorReply } = frontEnd
  await using _door =
    config.metrics && (await openDoor({ config: config.metrics, route: metrics, errorReply, log, auditLog }))
  using _checks = startSelfChecks(ctx, { containers, bottles })
  notifySystemd('READY=1')
  keepCompiledCode()
  log.info('ready', { ...program, socket, listen, startMs: Math.round(performance.now()) })

  await aborted(signal)
  log.info('stopping; containers go on running')
  notifySystemd('STOPPING=1')
  forceExitAfter(EXIT_MS, log)
  // The socket is about to go.
  run[Symbol.dispose]()
  tls?.[Symbol.dispose]()
  await server.close(DRAIN_MS)
  cutOff.abort(new DOMException('The daemon ends', 'AbortError'))
}

/** Loaded only where it is asked for. */
async function openDoor(options: MetricsDoorOptions): Promise<AsyncDisposable> {
  const { openMetricsDoor } = await import('./metrics-door.ts')
  return await openMetricsDoor(options)
}

async function configOrExit(words: readonly string[]): Promise<Config | undefined> {
  try {
    return await readConfig(words)
  } catch (error) {
    process.stderr.write(`condenser: ${messageOf(error)}\n`)
    process.exitCode = 125
    return undefined
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Whatever hangs must not keep the service manager waiting; the next boot recovers from any end. */
function forceExitAfter(ms: number, log: Logger): void {
  void sleep(ms, undefined, { ref: false }).then(() => {
    log.error('the daemon did not end in time and is cut off')
    process.exit(1)
  })
}
