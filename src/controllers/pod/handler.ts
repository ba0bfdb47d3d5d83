import type { Containers } from '../../containers/index.ts'
import { type Ctx, throwIfEnded } from '../../lib/ctx.ts'
import { messageOf } from '../../lib/errors.ts'
import { sleep } from '../../lib/long-timer.ts'
import type { Container } from '../../model/container.ts'
import type { LifecycleHandler } from '../../model/kube/probe.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { httpTarget, type ProbeEngine } from './probe-action.ts'
import { httpGet } from './probe-http.ts'
import { probeTarget } from './probe-target.ts'

interface HandlerInput {
  readonly pod: Pod
  readonly container: Container
  readonly handler: LifecycleHandler
}

interface Engine {
  readonly pods: ProbeEngine
  readonly sandboxOf: Containers['sandboxOf']
}

/** Runs what a container's `postStart` or `preStop` asks for, until the context ends; never rejects. */
export async function runHandler(
  ctx: Ctx,
  containers: Engine,
  input: HandlerInput,
): Promise<{ readonly ok: boolean; readonly message: string }> {
  try {
    await run(ctx, containers, input)
    return { ok: true, message: '' }
  } catch (error) {
    return { ok: false, message: ctx.signal.aborted ? 'The time for it ran out' : messageOf(error) }
  }
}

async function run(ctx: Ctx, containers: Engine, { pod, container, handler }: HandlerInput): Promise<void> {
  const { exec, httpGet: get, sleep: pause } = handler
  if (exec !== undefined) {
    const { exitCode, output } = await containers.pods.probe(ctx, container.metadata.uid, exec.command ?? [])
    if (exitCode !== 0) throw new Error(`The command ended with exit code ${exitCode}: ${output.trim()}`)
  } else if (get !== undefined) {
    const target = probeTarget(pod, container, containers.sandboxOf(container))
    // As kubelet: any answer will do.
    await httpGet(ctx.signal, httpTarget(target, get, 'kube-lifecycle/1.34'))
  } else if (pause !== undefined) {
    await sleep(pause.seconds * 1000, ctx.signal)
    throwIfEnded(ctx)
  } else {
    // Kubernetes takes it, and fails when it is to be run.
    throw new Error('The handler has no action that can be run: tcpSocket is none (use exec, httpGet or sleep)')
  }
}
