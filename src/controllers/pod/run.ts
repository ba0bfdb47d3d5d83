import { createHash } from 'node:crypto'
import type { PodVolume } from '../../containers/index.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Container } from '../../model/container.ts'
import type { Image } from '../../model/image.ts'
import type { Pod } from '../../model/kube/stored.ts'
import { tellOfPod } from './events.ts'
import { runHandler } from './handler.ts'
import { killMembers } from './kill.ts'
import type { PodLookup } from './lookup.ts'
import { memberRequest } from './member-request.ts'
import { graceOf, type NextAttempt, type PodView, type Start } from './plan.ts'
import { ensureImage } from './pull.ts'
import { pullAuth } from './pull-auth.ts'
import { sandboxRequest } from './sandbox-request.ts'
import { reasonOf, type Sync } from './sync.ts'
import { resolveVolumes } from './volumes.ts'

/** @throws what kept it from being made, told as the pod's reason: the caller's caller tries again */
export async function runSandbox(sync: Sync, pod: Pod, next: NextAttempt): Promise<void> {
  const { store, containers, daemon, place } = sync.deps
  try {
    await fillVolumesOf(sync, pod)
    const node = await containers.pods.node()
    await place(() => containers.pods.runSandbox(daemon, sandboxRequest(pod, next, node)))
    sync.memory.waiting = undefined
  } catch (error) {
    const waiting = reasonOf(error, 'FailedCreatePodSandBox')
    sync.memory.waiting = waiting
    tellOfPod(store, pod, waiting.reason, waiting.message, { type: 'Warning' })
    throw error
  }
}

/** Brings a container to run; what keeps it from that is remembered, told, and tried again later. */
export async function startMember(sync: Sync, pod: Pod, infra: Container, start: Start): Promise<void> {
  const { store, containers, daemon, place } = sync.deps
  const { name } = start.container
  const ctx: Ctx = { ...daemon, signal: AbortSignal.any([daemon.signal, sync.memory.interrupted]) }
  let made: Container
  using pulling = sync.memory.pulling(start.container)
  try {
    const image = await bringImage(
      { ...daemon, signal: AbortSignal.any([daemon.signal, pulling.signal]) },
      sync,
      pod,
      start,
    )
    for (const { metadata } of start.replaces) await containers.pods.remove(daemon, metadata.uid)
    if (ctx.signal.aborted) return
    made = await place(() => make(sync, pod, infra, start, image))
    sync.memory.release(name)
  } catch (error) {
    if (daemon.signal.aborted || pulling.signal.aborted) return
    const waiting = reasonOf(error, 'CreateContainerError')
    sync.memory.hold(start.container, waiting, Date.now())
    tellOfPod(store, pod, 'Failed', waiting.message, { type: 'Warning', container: name })
    return
  }
  try {
    await place(() => containers.pods.start(daemon, made.metadata.uid))
    tellOfPod(store, pod, 'Started', `Started container ${name}`, { container: name })
  } catch (error) {
    // Its record tells of it, and counts as an end.
    tellOfPod(store, pod, 'Failed', messageOf(error), { type: 'Warning', container: name })
    return
  }
  await afterStart(ctx, sync, pod, made, start)
}

/** Fills its volumes with what ConfigMaps and Secrets say now. */
export async function fillVolumes(sync: Sync, { pod, containers }: PodView): Promise<void> {
  if (containers.length > 0 && pod.metadata.deletedAt === undefined && !pod.spec.stopped) {
    await fillVolumesOf(sync, pod).catch((error) =>
      tellOfPod(sync.deps.store, pod, 'FailedMount', messageOf(error), { type: 'Warning' }),
    )
  }
}

async function fillVolumesOf({ deps, memory }: Sync, pod: Pod): Promise<void> {
  if ((pod.spec.volumes ?? []).length === 0) return
  const volumes = resolveVolumes(pod, lookUp(deps.store, pod))
  const digest = digestOf(volumes)
  if (digest === memory.volumes) return
  await deps.containers.pods.prepareVolumes(deps.daemon, pod.metadata.uid, volumes)
  memory.volumes = digest
}

function digestOf(volumes: readonly PodVolume[]): string {
  const hash = createHash('sha256')
  for (const volume of volumes) {
    const { files, ...rest } = { files: [], ...volume }
    hash.update(JSON.stringify([rest, files.map(({ path, mode, data }) => [path, mode, data.length])]))
    for (const { data } of files) hash.update(data)
  }
  return hash.digest('hex')
}

async function bringImage(ctx: Ctx, { deps }: Sync, pod: Pod, { container }: Start): Promise<Image> {
  const { store, images } = deps
  const { name, image = '' } = container
  const auth = pullAuth(pod, image, lookUp(store, pod))
  return await ensureImage(ctx, images, container, auth, {
    pulling: () => tellOfPod(store, pod, 'Pulling', `Pulling image "${image}"`, { container: name }),
    pulled: (_image, isNew) => {
      const how = isNew
        ? `Successfully pulled image "${image}"`
        : `Container image "${image}" already present on machine`
      tellOfPod(store, pod, 'Pulled', how, { container: name })
    },
  })
}

async function make(sync: Sync, pod: Pod, infra: Container, start: Start, image: Image): Promise<Container> {
  const { store, containers, daemon, hostIp } = sync.deps
  const { container, role, attempt, restartDelayMs } = start
  await fillVolumesOf(sync, pod)
  const request = memberRequest({
    pod,
    container,
    role: { role, name: container.name, attempt, restartDelayMs, ...(container.image && { image: container.image }) },
    addresses: containers.sandboxOf(infra).spec.attachments[0]?.addresses ?? [],
    hostIp: hostIp(),
    image,
    node: await containers.pods.node(),
    lookup: lookUp(store, pod),
  })
  const made = await containers.pods.create(daemon, infra, request)
  tellOfPod(store, pod, 'Created', `Created container ${container.name}`, { container: container.name })
  return made
}

async function afterStart(ctx: Ctx, sync: Sync, pod: Pod, made: Container, { container }: Start): Promise<void> {
  const handler = container.lifecycle?.postStart
  if (handler === undefined) return
  const { ok, message } = await runHandler(ctx, sync.deps.containers, { pod, container: made, handler })
  if (ok || ctx.signal.aborted) return
  tellOfPod(sync.deps.store, pod, 'FailedPostStartHook', message, { type: 'Warning', container: container.name })
  await killMembers(sync, pod, [{ container: made, graceMs: graceOf(pod), reason: 'its postStart handler failed' }])
}

function lookUp(store: Sync['deps']['store'], { metadata }: Pod): PodLookup {
  const { namespace } = metadata
  return {
    configMap: (name) => store.read((tx) => tx.get('ConfigMap', name, namespace)),
    secret: (name) => store.read((tx) => tx.get('Secret', name, namespace)),
  }
}
