import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { type Ctx, detached } from '../lib/ctx.ts'
import { hasCode, StatusError } from '../lib/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { addressFamily, type Family } from '../lib/ip-address.ts'
import type { Container, ContainerOptions } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import type { Image } from '../model/image.ts'
import { generateName, newId, shortId, validateName } from '../model/names.ts'
import { joinedContainer } from '../model/namespace-mode.ts'
import type { PortMapping } from '../model/network.ts'
import { validateResources } from '../model/resources.ts'
import type { ReadTx, WriteTx } from '../store/index.ts'
import { assertHostHas } from './assert-host-has.ts'
import { assertOptionsAgree } from './assert-options-agree.ts'
import { networkMode, planAttachments } from './attachments.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import { resolveJoined } from './joined-namespaces.ts'
import { findNetwork } from './networks.ts'
import { planContainer } from './plan-create.ts'
import { planMounts } from './plan-mounts.ts'
import { assertPortsAreFree, assertPortsDiffer, onFamilies } from './ports.ts'
import { prepareVolumes } from './prepare-volumes.ts'
import { removeContainer } from './remove.ts'
import type { AttachRequest, ContainerPlace, CreateContainer } from './types.ts'
import { ensureVolumeRecord } from './volumes.ts'

/**
 * Makes a container: records, an address, its directories. Nothing of it is in the kernel until it is started
 * (docs/adr/0002), so a start of a new container and of a stopped one are the same.
 *
 * The record is written first and owns all that follows. If a step fails the container is removed; if the daemon
 * dies instead, recovery finds a record still `creating` at the next boot and removes it then.
 *
 * @throws {StatusError} `invalid_argument`, `not_found` (image, network), `already_exists` (name), `conflict` (port),
 *   `resource_exhausted` (address)
 */
export async function createContainer(ctx: Ctx, deps: Deps, request: CreateContainer): Promise<Container> {
  if (request.name !== undefined) validateName('container', request.name)
  return await createIn(ctx, deps, request)
}

/** As `createContainer`, for what owns the container; nobody is told yet that it is on disk. */
export async function createIn(
  ctx: Ctx,
  deps: Deps,
  request: CreateContainer,
  place?: ContainerPlace,
): Promise<Container> {
  const { store, images, snapshots, locks, paths } = deps
  assertPortsDiffer(request.ports ?? [])
  validateResources(request.resources ?? {})
  assertOptionsAgree(request)
  await assertHostHas(deps, request)
  const networks = request.networks ?? [{ network: deps.defaults.network }]
  assertNetworkTakesPorts(networks, request.ports ?? [])
  const families = store.read((tx) => {
    assertNameIsFree(tx.get('Container', request.name ?? ''))
    resolveJoined(tx, request.options ?? {})
    for (const { container } of request.volumesFrom ?? []) findContainer(tx, container)
    return familiesOfFirst(tx, networks)
  })
  assertFamiliesTakePorts(families, request.ports ?? [])
  await assertPortsAreFree(store, onFamilies(request.ports ?? [], families), place?.portsOf ?? '')
  await ensureImage(ctx, deps, request)
  using lease = images.lease(request.image)

  const id = newId()
  using _lock = await locks.hold(ctx, id)
  await using undo = new AsyncDisposableStack()
  failpoint('create.record')
  reserve(deps, request, lease.image, { id, networks, place })
  undo.defer(() => removeContainer(detached(ctx), deps, id, { volumes: true }))

  failpoint('create.directories')
  await mkdir(dirname(paths.log(id)), { recursive: true, mode: 0o700 })
  // An infra container writes nothing: without a place for it the kernel has less to do.
  if (place?.pod?.role !== 'infra') {
    await snapshots.prepare(paths.container(id), images.layerDirectories(lease.image.spec.chainIds)[0])
  }
  await prepareVolumes(
    ctx,
    deps,
    store.read((tx) => findContainer(tx, id)),
  )
  failpoint('create.prepared')
  const container = store.write((tx) => tx.putStatus('Container', id, { preparedAt: Date.now() }))
  // What owns it has a record of its own, which makes this one again or takes it away.
  if (place === undefined) await store.durable()

  undo.move()
  return container
}

async function ensureImage(ctx: Ctx, { images }: Deps, { image, auth }: CreateContainer): Promise<void> {
  try {
    images.get(image)
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error
    for await (const _progress of images.pull(ctx, image, auth === undefined ? {} : { auth })) {
      // Only its end matters here.
    }
  }
}

/** Everything that must be exclusive, in one transaction: name, id, address. A generated name is tried again if taken. */
function reserve(deps: Deps, request: CreateContainer, image: Image, reserved: Omit<Reserved, 'name'>): void {
  for (let attempt = 1; ; attempt++) {
    const name = request.name ?? generateName()
    try {
      deps.store.write((tx) => writeRecords(tx, deps, request, image, { ...reserved, name }))
      return
    } catch (error) {
      if (!hasCode(error, 'already_exists') || request.name !== undefined || attempt > 10) throw error
    }
  }
}

interface Reserved {
  readonly id: string
  readonly name: string
  readonly networks: readonly AttachRequest[]
  readonly place: ContainerPlace | undefined
}

function writeRecords(
  tx: WriteTx,
  deps: Deps,
  request: CreateContainer,
  image: Image,
  { id, name, networks, place }: Reserved,
): void {
  assertNameIsFree(tx.get('Container', name))
  const sandboxId = place?.sandboxId ?? newId()
  const options = resolveJoined(tx, request.options ?? {})
  const mounts = planMounts(tx, deps.paths, request, image)
  for (const { volume, anonymous } of mounts) {
    if (volume !== undefined) ensureVolumeRecord(tx, volume, { generated: anonymous === true })
  }
  const spec = planContainer({ ...request, options }, image, mounts, deps.defaults, {
    sandboxId,
    hostname: sharedHostname(tx, options, networks) ?? shortId(id),
    runtime: deps.runtime.name,
  })
  if (place?.sandboxId === undefined) {
    tx.create('Sandbox', {
      name: sandboxId,
      uid: sandboxId,
      owner: { frontEnd: 'condenser', kind: 'Container', uid: id },
      spec: { hostname: spec.hostname, ...planAttachments(tx, sandboxId, networks), ports: request.ports ?? [] },
      status: { attempt: 0 },
    })
  }
  const container = tx.create('Container', {
    name,
    uid: id,
    labels: { ...image.spec.imageConfig.labels, ...request.labels },
    owner: place?.owner ?? { frontEnd: 'raind', kind: 'Container', uid: id },
    spec: { ...spec, ...(place?.pod !== undefined && { pod: place.pod }) },
    status: { restartCount: 0 },
  })
  tx.event(containerEvent(container, 'create'))
}

/** The host name of a container that has none of its own, or by docker's rule uses the host's with the host's network. */
function sharedHostname(tx: ReadTx, { utsMode }: ContainerOptions, networks: readonly AttachRequest[]) {
  const joined = joinedContainer(utsMode)
  if (joined !== undefined) return tx.getByUid('Container', joined)!.spec.hostname
  return utsMode === 'host' || networkMode(networks) === 'host' ? hostname() : undefined
}

function assertNetworkTakesPorts(networks: readonly AttachRequest[], ports: readonly PortMapping[]): void {
  const mode = networkMode(networks)
  if (mode === undefined || ports.length === 0) return
  throw new StatusError(
    'invalid_argument',
    mode === 'host'
      ? "A container in the host's network needs no published ports: what it listens on is the host's"
      : 'A container without a network can publish no ports: leave them out, or choose a network',
  )
}

/** Those that published ports can lead to. @throws {StatusError} `not_found` for any network */
function familiesOfFirst(tx: ReadTx, networks: readonly AttachRequest[]): readonly Family[] {
  if (networkMode(networks) !== undefined) return []
  const [first] = networks.map(({ network }) => findNetwork(tx, network))
  return first?.spec.ipv6 === undefined ? [4] : [4, 6]
}

function assertFamiliesTakePorts(families: readonly Family[], ports: readonly PortMapping[]): void {
  const lost = ports.find(({ hostIp }) => hostIp !== '' && !families.includes(addressFamily(hostIp)!))
  if (lost === undefined) return
  throw new StatusError(
    'invalid_argument',
    `Cannot publish on [${lost.hostIp}]: the container has no IPv6 address; its first network must be one with IPv6`,
  )
}

/** @throws {StatusError} `already_exists` */
export function assertNameIsFree(taken: Container | undefined): void {
  if (taken === undefined) return
  const { name, uid } = taken.metadata
  throw new StatusError(
    'already_exists',
    `The container name "${name}" is taken by ${shortId(uid)}: remove that one, or choose another name`,
  )
}
