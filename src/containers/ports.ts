import { randomUUID } from 'node:crypto'
import { StatusError } from '../lib/errors.ts'
import type { PortMapping } from '../model/network.ts'
import { freeHostPort, hostPortIsFree } from '../network/index.ts'
import type { ReadTx, Store, WriteTx } from '../store/index.ts'

const ANY = '0.0.0.0'

/** Gives ports that ask for a free one (`hostPort` 0) a number, the one of the last start if it is still free. */
export async function chooseHostPorts(
  store: Store,
  wanted: readonly PortMapping[],
  last: readonly PortMapping[],
): Promise<readonly PortMapping[]> {
  const chosen: PortMapping[] = []
  for (const [index, port] of wanted.entries()) {
    if (port.hostPort !== 0) chosen.push(port)
    else chosen.push({ ...port, hostPort: await freePort(store, port, last[index]?.hostPort) })
  }
  return chosen
}

async function freePort(store: Store, port: PortMapping, last: number | undefined): Promise<number> {
  const isLeased = (hostPort: number) => store.read((tx) => leaseInTheWay(tx, { ...port, hostPort }, '')) !== undefined
  if (last !== undefined && last !== 0) {
    if (!isLeased(last) && (await hostPortIsFree(port.hostIp, last, port.protocol))) return last
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    const hostPort = await freeHostPort(port.hostIp, port.protocol)
    if (!isLeased(hostPort)) return hostPort
  }
  throw new StatusError('resource_exhausted', `No free host port was found for container port ${port.containerPort}`)
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

function overlap(one: string, other: string): boolean {
  return one === other || one === ANY || other === ANY
}

function label({ hostIp, hostPort, protocol }: PortMapping): string {
  return `${hostIp}:${hostPort}/${protocol}`
}
