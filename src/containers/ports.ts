import { randomUUID } from 'node:crypto'
import { StatusError } from '../lib/errors.ts'
import { addressFamily, type Family } from '../lib/ip-address.ts'
import type { PortMapping, Sandbox, SandboxSpec } from '../model/network.ts'
import { freeHostPort, hostPortIsFree } from '../network/index.ts'
import type { ReadTx, Store, WriteTx } from '../store/index.ts'

/** All addresses of a family. */
const ANY = { 4: '0.0.0.0', 6: '::' } as const

/** On what of the host they are published, for a container with addresses of these families. */
export function onFamilies(ports: readonly PortMapping[], families: readonly Family[]): readonly PortMapping[] {
  return ports.flatMap((port) => {
    if (port.hostIp === '') return families.map((family) => ({ ...port, hostIp: ANY[family] }))
    return families.includes(addressFamily(port.hostIp)!) ? [port] : []
  })
}

/** Those of its first attachment, which ports lead to. */
export function familiesOf({ attachments }: SandboxSpec): readonly Family[] {
  return (attachments[0]?.addresses ?? []).map((address) => addressFamily(address.split('/')[0]!)!)
}

/**
 * What a start publishes. Ports that ask for a free one (`hostPort` 0) get the number of the last start if that is still
 * free, or leased to `holder`.
 */
export async function chooseHostPorts(
  store: Store,
  { spec, status }: Sandbox,
  holder = '',
): Promise<readonly PortMapping[]> {
  const last = [...(status.ports ?? [])]
  const chosen: PortMapping[] = []
  for (const wanted of spec.ports) {
    const ports = onFamilies([wanted], familiesOf(spec))
    const before = takeLast(last, wanted)
    if (ports.length === 0) continue
    const hostPort = wanted.hostPort === 0 ? await freePort(store, ports, before, holder) : wanted.hostPort
    chosen.push(...ports.map((port) => ({ ...port, hostPort })))
  }
  return chosen
}

/** What was chosen for it; taken out of the list, for each family. */
function takeLast(last: PortMapping[], { hostIp, containerPort, protocol }: PortMapping): number | undefined {
  const isOfIt = (port: PortMapping) =>
    port.containerPort === containerPort && port.protocol === protocol && (hostIp === '' || port.hostIp === hostIp)
  const found = last.find(isOfIt)?.hostPort
  const rest = last.filter((port) => !(isOfIt(port) && port.hostPort === found))
  last.splice(0, last.length, ...rest)
  return found
}

async function freePort(
  store: Store,
  ports: readonly PortMapping[],
  last: number | undefined,
  holder: string,
): Promise<number> {
  const isFree = async (hostPort: number) => {
    for (const port of ports) {
      if (store.read((tx) => leaseInTheWay(tx, { ...port, hostPort }, holder)) !== undefined) return false
      if (!(await hostPortIsFree(port.hostIp, hostPort, port.protocol))) return false
    }
    return true
  }
  if (last !== undefined && last !== 0 && (await isFree(last))) return last
  const { hostIp, protocol, containerPort } = ports[0]!
  for (let attempt = 0; attempt < 100; attempt++) {
    const hostPort = await freeHostPort(hostIp, protocol)
    if (await isFree(hostPort)) return hostPort
  }
  throw new StatusError('resource_exhausted', `No free host port was found for container port ${containerPort}`)
}

/** @throws {StatusError} `invalid_argument` if one container asks for a host port twice */
export function assertPortsDiffer(ports: readonly PortMapping[]): void {
  for (const [index, port] of ports.entries()) {
    if (port.hostPort === 0) continue
    const twin = (other: PortMapping) =>
      other.protocol === port.protocol && other.hostPort === port.hostPort && overlap(other.hostIp, port.hostIp)
    if (!ports.slice(0, index).some(twin)) continue
    throw new StatusError('invalid_argument', `Cannot publish port ${label(port)} twice: give each its own host port`)
  }
}

/** @throws {StatusError} `conflict` if a container or another program of the host has one of these ports */
export async function assertPortsAreFree(
  store: Store,
  ports: readonly PortMapping[],
  sandboxId: string,
): Promise<void> {
  for (const port of ports) {
    if (port.hostPort === 0) continue
    store.read((tx) => assertNoLease(tx, port, sandboxId))
    if (await hostPortIsFree(port.hostIp, port.hostPort, port.protocol)) continue
    throw new StatusError(
      'conflict',
      `Cannot publish port ${label(port)}: a program on this host already listens there`,
    )
  }
}

/** Takes the ports for this sandbox. @throws {StatusError} `conflict` */
export function leasePorts(tx: WriteTx, ports: readonly PortMapping[], sandboxId: string): void {
  releasePorts(tx, sandboxId)
  for (const port of ports) {
    assertNoLease(tx, port, sandboxId)
    tx.create('PortLease', {
      namespace: port.protocol,
      name: `${port.hostPort}/${port.hostIp}`,
      uid: randomUUID(),
      owner: { frontEnd: 'condenser', kind: 'Sandbox', uid: sandboxId },
      spec: { sandboxId },
      status: {},
    })
  }
}

export function releasePorts(tx: WriteTx, sandboxId: string): void {
  for (const lease of tx.list('PortLease', { ownerUid: sandboxId })) tx.delete('PortLease', lease.metadata.uid)
}

function assertNoLease(tx: ReadTx, port: PortMapping, sandboxId: string): void {
  const holder = leaseInTheWay(tx, port, sandboxId)
  if (holder === undefined) return
  const container = tx.list('Container').find(({ spec }) => spec.sandboxId === holder)
  const by = container === undefined ? 'another container' : `container "${container.metadata.name}"`
  throw new StatusError(
    'conflict',
    `Cannot publish port ${label(port)}: ${by} has published it; stop that one, or take another port`,
  )
}

/** The sandbox that has this port on the same address, or on all of them. */
function leaseInTheWay(tx: ReadTx, port: PortMapping, sandboxId: string): string | undefined {
  return tx
    .list('PortLease', { namespace: port.protocol, namePrefix: `${port.hostPort}/` })
    .find(({ metadata, spec }) => {
      const ip = metadata.name.slice(metadata.name.indexOf('/') + 1)
      return spec.sandboxId !== sandboxId && overlap(ip, port.hostIp)
    })?.spec.sandboxId
}

/** Of addresses of the host; an empty one stands for all of them. */
function overlap(one: string, other: string): boolean {
  if (one === '' || other === '' || one === other) return true
  const family = addressFamily(one)
  return family !== undefined && family === addressFamily(other) && [one, other].includes(ANY[family])
}

function label({ hostIp, hostPort, protocol }: PortMapping): string {
  return `${hostIp.includes(':') ? `[${hostIp}]` : hostIp || ANY[4]}:${hostPort}/${protocol}`
}
