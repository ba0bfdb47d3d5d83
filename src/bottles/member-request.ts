import { createHash } from 'node:crypto'
import type { CreateContainer } from '../containers/index.ts'
import type { Bottle, BottleMount, BottleService } from '../model/bottle.ts'
import { BOTTLE_LABELS } from '../model/bottle-labels.ts'
import type { Mount } from '../model/container.ts'
import { containerName, networkName, volumeName } from './names.ts'

type Spec = Pick<Bottle, 'metadata' | 'spec'>

export interface MemberInput {
  readonly bottle: Spec
  readonly service: string
  readonly number: number
  /** Instead of its own. */
  readonly env?: readonly string[]
  /** Where the daemon has put the data of its secrets and configs, by their destination. */
  readonly files: ReadonlyMap<string, string>
}

/** What a service asks for, as one of its containers. */
export function memberRequest({ bottle, service, number, env, files }: MemberInput): CreateContainer {
  const own = bottle.spec.services[service]!
  const { image, entrypoint, command, workingDir, user, hostname, networkMode, healthcheck } = own
  return {
    image,
    name: containerName(bottle, service, number, own),
    ...(entrypoint !== undefined && { entrypoint }),
    ...(command !== undefined && { command }),
    env: env ?? own.env,
    ...(workingDir !== undefined && { workingDir }),
    ...(user !== undefined && { user }),
    ...(hostname !== undefined && { hostname }),
    labels: labelsOf(bottle, service, number),
    tty: own.tty === true,
    openStdin: own.openStdin === true,
    ports: own.ports,
    mounts: [...own.mounts.map((mount) => mountOf(bottle, mount)), ...fileMounts(own, files)],
    tmpfs: own.tmpfs,
    ...(networkMode !== 'bridge' && {
      networks: networkMode === undefined ? attachmentsOf(bottle, service) : [{ network: networkMode }],
    }),
    resources: own.resources,
    capAdd: own.capAdd,
    capDrop: own.capDrop,
    readOnlyRootfs: own.readOnlyRootfs === true,
    options: own.options,
    ...(healthcheck !== undefined && { healthcheck }),
    ...(own.stopSignal !== undefined && { stopSignal: own.stopSignal }),
    ...(own.stopTimeoutMs !== undefined && { stopTimeoutMs: own.stopTimeoutMs }),
  }
}

function attachmentsOf(bottle: Spec, service: string): NonNullable<CreateContainer['networks']> {
  return bottle.spec.services[service]!.networks.map(({ network, aliases, address, address6 }) => ({
    network: networkName(bottle, network),
    aliases: [...new Set([service, ...aliases])],
    ...(address !== undefined && { address }),
    ...(address6 !== undefined && { address6 }),
  }))
}

function labelsOf(bottle: Spec, service: string, number: number) {
  const own = bottle.spec.services[service]!
  const dependsOn = Object.entries(own.dependsOn).map(
    ([name, { condition, restart }]) => `${name}:service_${WORDS[condition]}:${restart === true}`,
  )
  return {
    ...own.labels,
    [BOTTLE_LABELS.bottle]: bottle.metadata.name,
    [BOTTLE_LABELS.service]: service,
    [BOTTLE_LABELS.number]: String(number),
    [BOTTLE_LABELS.configHash]: configHash(bottle, service),
    [BOTTLE_LABELS.image]: own.image,
    [BOTTLE_LABELS.dependsOn]: dependsOn.join(','),
    [BOTTLE_LABELS.oneOff]: 'False',
  }
}

const WORDS = { started: 'started', healthy: 'healthy', completed: 'completed_successfully' } as const

/**
 * A digest of all that makes a container what it is; how many there are, the order of starts, and when they are brought up
 * to date change no container.
 */
export function configHash(bottle: Spec, service: string): string {
  const { replicas: _, dependsOn: __, updateOrder: ___, pull: ____, ...own } = bottle.spec.services[service]!
  const networks = own.networks.map(({ network }) => [networkName(bottle, network), bottle.spec.networks[network]])
  const volumes = own.mounts.map((mount) =>
    mount.type === 'volume' && mount.volume !== undefined ? volumeName(bottle, mount.volume) : '',
  )
  return createHash('sha256')
    .update(JSON.stringify([own, networks, volumes]))
    .digest('hex')
}

function mountOf(bottle: Spec, mount: BottleMount): NonNullable<CreateContainer['mounts']>[number] {
  const { destination, readOnly } = mount
  if (mount.type === 'bind') {
    return { source: mount.source, destination, readOnly, propagation: mount.propagation ?? 'rprivate' }
  }
  const volume = mount.volume === undefined ? {} : { volume: volumeName(bottle, mount.volume) }
  return { ...volume, destination, readOnly, noCopy: mount.noCopy }
}

function fileMounts({ files }: BottleService, data: ReadonlyMap<string, string>): Mount[] {
  return files.map(({ destination, from }) => ({
    source: 'source' in from ? from.source : data.get(destination)!,
    destination,
    readOnly: true,
    propagation: 'rprivate',
  }))
}
