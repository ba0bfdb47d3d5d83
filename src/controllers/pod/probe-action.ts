import type { Containers } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { deadline } from '../../lib/deadline.ts'
import { messageOf, StatusError } from '../../lib/errors.ts'
import type { HttpGetAction, Probe } from '../../model/kube/probe.ts'
import { converse } from './converse.ts'
import { type HttpTarget, httpGet } from './probe-http.ts'
import { type ProbeOutcome, probeRules } from './probe-state.ts'
import type { ProbeTarget } from './probe-target.ts'

export type ProbeEngine = Pick<Containers['pods'], 'probe'>

export interface ProbeResult {
  readonly outcome: ProbeOutcome
  /** Of what is not a success: why. */
  readonly message: string
}

const SUCCESS: ProbeResult = { outcome: 'success', message: '' }
/** What Kubernetes keeps of an event's message. */
const MAX_MESSAGE_CHARACTERS = 1024

/** Runs a probe once; never rejects. One without an action that is known here succeeds: its manifest was warned of. */
export async function runProbe(ctx: Ctx, engine: ProbeEngine, target: ProbeTarget, probe: Probe): Promise<ProbeResult> {
  const result = await run(ctx, engine, target, probe).catch((error) => ({
    outcome: error instanceof StatusError ? ('error' as const) : ('failure' as const),
    message: messageOf(error),
  }))
  return { ...result, message: result.message.trim().slice(0, MAX_MESSAGE_CHARACTERS) }
}

/** @throws {StatusError} where it cannot be asked; anything else is an answer that was not well */
async function run(ctx: Ctx, engine: ProbeEngine, target: ProbeTarget, probe: Probe): Promise<ProbeResult> {
  const { timeoutMs } = probeRules(probe)
  if (probe.exec !== undefined) {
    const { exitCode, output, notRun } = await engine.probe(
      ctx,
      target.containerId,
      probe.exec.command ?? [],
      timeoutMs,
    )
    if (exitCode === 0) return SUCCESS
    const outcome = notRun ? 'error' : 'failure'
    return { outcome, message: output.trim() || `The command ended with exit code ${exitCode}` }
  }
  using within = deadline(ctx.signal, timeoutMs)
  if (probe.httpGet !== undefined) {
    const status = await httpGet(within.signal, httpTarget(target, probe.httpGet, 'kube-probe/1.34'))
    if (status >= 200 && status < 400) return SUCCESS
    // Without what the body says: it may be a secret (kubernetes/kubernetes#99425).
    return { outcome: 'failure', message: `HTTP probe failed with statuscode: ${status}` }
  }
  if (probe.tcpSocket !== undefined) {
    const { host, port } = probe.tcpSocket
    const server = { host: hostOf(target, host), port: portOf(target, port), isSecure: false }
    await converse<void>(within.signal, server, ({ socket, resolve }) => socket.on('connect', () => resolve()))
  }
  return SUCCESS
}

/** @throws {StatusError} `failed_precondition` if there is no such host or port */
export function httpTarget(target: ProbeTarget, action: HttpGetAction, userAgent: string): HttpTarget {
  const { path = '', port, host, scheme, httpHeaders = [] } = action
  return {
    scheme: scheme === 'HTTPS' ? 'https' : 'http',
    host: hostOf(target, host),
    port: portOf(target, port),
    path,
    headers: httpHeaders,
    userAgent,
  }
}

function hostOf({ address }: ProbeTarget, host: string | undefined): string {
  const found = host || address
  if (found === undefined) throw new StatusError('failed_precondition', 'The pod has no address')
  return found
}

/** A number, also as text, or the name of one of the container's ports. */
function portOf({ ports }: ProbeTarget, port: number | string): number {
  const named = ports.find(({ name }) => name !== undefined && name === port)?.containerPort
  const number = named ?? Number(port)
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number
  throw new StatusError('failed_precondition', `The container has no port ${JSON.stringify(port)}`)
}
