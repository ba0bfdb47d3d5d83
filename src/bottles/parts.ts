import { createHash } from 'node:crypto'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Ctx, detached } from '../lib/ctx.ts'
import { StatusError } from '../lib/errors.ts'
import type { Bottle, BottleNetwork } from '../model/bottle.ts'
import { BOTTLE_LABELS } from '../model/bottle-labels.ts'
import { shortId } from '../model/names.ts'
import type { Deps } from './deps.ts'
import { networkName, volumeName } from './names.ts'
import type { BottleOptions } from './types.ts'

/** Makes the networks and volumes that are not there; `undo` gets what takes away what it made. */
export async function ensureParts(
  ctx: Ctx,
  deps: Deps,
  bottle: Bottle,
  undo: AsyncDisposableStack,
  { tell = () => {} }: BottleOptions,
): Promise<void> {
  const { containers } = deps
  const { networks, volumes } = bottle.spec
  const notTakenBack = (error: unknown) =>
    deps.log.error('a step of a bottle cannot be taken back', { bottle: bottle.metadata.name, error })
  for (const [key, network] of Object.entries(networks)) {
    const name = networkName(bottle, key)
    const found = containers.networks().find(({ metadata }) => metadata.name === name)
    if (network.external) {
      if (found === undefined)
        throw new StatusError('not_found', `No such network: "${name}", which is said to be external`)
      continue
    }
    if (found !== undefined) {
      assertOwn('network', name, found.metadata.labels, bottle)
      continue
    }
    await containers.createNetwork(ctx, networkRequest(bottle, key, name, network))
    undo.defer(() => containers.removeNetwork(detached(ctx), name).catch(notTakenBack))
    tell({ what: 'network', name, did: 'created' })
  }
  for (const [key, volume] of Object.entries(volumes)) {
    const name = volumeName(bottle, key)
    const [found] = containers.volumes.list({ names: [`^${name}$`] })
    if (volume.external && found === undefined) {
      throw new StatusError('not_found', `No such volume: "${name}", which is said to be external`)
    }
    if (found !== undefined) continue
    const labels = { ...volume.labels, ...labelsOf(bottle, BOTTLE_LABELS.volume, key) }
    await containers.volumes.create(ctx, { name, labels })
    undo.defer(() => containers.volumes.remove(detached(ctx), name).catch(notTakenBack))
    tell({ what: 'volume', name, did: 'created' })
  }
  await makeSources(bottle)
}

/** What bottles have made of those; also what the manifest has no more. */
export function ownNetworks({ containers }: Deps, { metadata }: Bottle): string[] {
  return containers
    .networks()
    .filter((network) => network.metadata.labels[BOTTLE_LABELS.bottle] === metadata.name)
    .map((network) => network.metadata.name)
}

export function ownVolumes({ containers }: Deps, { metadata }: Bottle): string[] {
  return containers.volumes
    .list()
    .filter(({ volume }) => volume.metadata.labels[BOTTLE_LABELS.bottle] === metadata.name)
    .map(({ volume }) => volume.metadata.name)
}

/**
 * Puts the data of secrets and configs into files, which its containers have mounted; their paths by destination. Those
 * of other data stay: a container that runs has them open.
 */
export async function writeFiles(
  deps: Deps,
  { metadata, spec }: Bottle,
  service: string,
): Promise<Map<string, string>> {
  const directory = filesOf(deps, metadata.uid)
  const paths = new Map<string, string>()
  for (const { destination, from, mode, uid, gid } of spec.services[service]!.files) {
    if (!('data' in from)) continue
    const digest = createHash('sha256')
      .update(JSON.stringify([from.data, mode, uid, gid]))
      .digest('hex')
    const path = join(directory, digest.slice(0, 32))
    await mkdir(directory, { recursive: true, mode: 0o711 })
    await writeFile(path, Buffer.from(from.data, 'base64'), { mode })
    await chown(path, uid, gid)
    paths.set(destination, path)
  }
  return paths
}

export async function removeFiles(deps: Deps, { metadata }: Bottle): Promise<void> {
  await rm(filesOf(deps, metadata.uid), { recursive: true, force: true })
}

function filesOf({ directory }: Deps, uid: string): string {
  return join(directory, shortId(uid))
}

async function makeSources({ spec }: Bottle): Promise<void> {
  for (const mount of Object.values(spec.services).flatMap(({ mounts }) => mounts)) {
    if (mount.type === 'bind' && mount.createSource) await mkdir(mount.source, { recursive: true })
  }
}

function networkRequest(bottle: Bottle, key: string, name: string, network: BottleNetwork) {
  const { name: _, external: __, labels, ...rest } = network
  return { ...rest, name, labels: { ...labels, ...labelsOf(bottle, BOTTLE_LABELS.network, key) } }
}

function labelsOf({ metadata }: Bottle, label: string, key: string) {
  return { [BOTTLE_LABELS.bottle]: metadata.name, [label]: key }
}

/** A volume is used whoever made it, as there may be data in it that somebody wants. */
function assertOwn(what: string, name: string, labels: Readonly<Record<string, string>>, { metadata }: Bottle): void {
  if (labels[BOTTLE_LABELS.bottle] === metadata.name) return
  throw new StatusError(
    'already_exists',
    `Cannot make ${what} "${name}": there is one of that name which is not this bottle's; say that it is external, or give it another name`,
  )
}
