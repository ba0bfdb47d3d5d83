import type { Fault } from '../model/finding.ts'
import type { Store, WriteTx } from '../store/index.ts'
import type { Deps } from './deps.ts'

/**
 * Where records disagree with each other: what the transactions that write them together keep from ever happening, so
 * that whatever is found here is damage.
 */
export function faultsOfRecords({ store }: Pick<Deps, 'store'>): Fault[] {
  return store.read((tx) => {
    const containers = tx.list('Container')
    const sandboxes = new Map(tx.list('Sandbox').map((sandbox) => [sandbox.metadata.uid, sandbox]))
    const networks = new Set(tx.list('Network').map(({ metadata }) => metadata.name))
    const volumes = new Set(tx.list('Volume').map(({ metadata }) => metadata.name))
    const services = tx.list('Service').map(({ metadata }) => metadata.uid)
    const owned = new Set([...containers.map(({ spec }) => spec.sandboxId), ...services])
    const addresses = tx.list('AddressLease')
    const lease = (network: string, address: string) => `${network} ${address}`
    const leased = new Map(
      addresses.map(({ metadata, spec }) => [lease(metadata.namespace, metadata.name), spec.sandboxId]),
    )
    const wanted = new Map(
      [...sandboxes.values()].flatMap(({ metadata, spec }) =>
        spec.attachments.flatMap(({ network, addresses }) =>
          addresses.map((cidr) => [lease(network, cidr.split('/')[0]!), metadata.uid] as const),
        ),
      ),
    )
    return [
      ...[...sandboxes.values()]
        .filter(({ metadata }) => !owned.has(metadata.uid))
        .map(
          ({ metadata }): Fault => ({
            part: 'container',
            subject: `sandbox ${metadata.name}`,
            problem: 'no container is in it',
            mend: mendRecord(store, (tx) => tx.delete('Sandbox', metadata.uid)),
          }),
        ),
      ...addresses
        .filter(({ metadata, spec }) => wanted.get(lease(metadata.namespace, metadata.name)) !== spec.sandboxId)
        .map(
          ({ metadata }): Fault => ({
            part: 'lease',
            subject: `address ${metadata.name} of network ${metadata.namespace}`,
            problem: 'it is taken, and nobody has it',
            mend: mendRecord(store, (tx) => tx.delete('AddressLease', metadata.uid)),
          }),
        ),
      ...[...wanted]
        .filter(([key, sandbox]) => leased.get(key) !== sandbox)
        .map(
          ([key]): Fault => ({
            part: 'lease',
            subject: `address ${key.split(' ')[1]} of network ${key.split(' ')[0]}`,
            problem: 'a container has it, and it is not taken for it: another one may get it',
            advice: 'remove the container and create it again',
          }),
        ),
      ...tx
        .list('PortLease')
        .filter(({ spec }) => !owned.has(spec.sandboxId))
        .map(
          ({ metadata }): Fault => ({
            part: 'lease',
            subject: `port ${metadata.name}/${metadata.namespace}`,
            problem: 'it is taken, and nobody has it',
            mend: mendRecord(store, (tx) => tx.delete('PortLease', metadata.uid)),
          }),
        ),
      ...containers.flatMap(({ metadata, spec }) => [
        ...(sandboxes.get(spec.sandboxId)?.spec.attachments ?? [])
          .filter(({ network }) => !networks.has(network))
          .map(
            ({ network }): Fault => ({
              part: 'network',
              subject: `container ${metadata.name}`,
              problem: `its network ${network} is not known`,
              advice: 'create the network again, or remove the container',
            }),
          ),
        ...spec.mounts
          .filter(({ volume }) => volume !== undefined && !volumes.has(volume))
          .map(
            ({ volume }): Fault => ({
              part: 'volume',
              subject: `container ${metadata.name}`,
              problem: `its volume ${volume} is not known`,
              advice: `"raind volume create ${volume}" takes its files in again, if they are still there`,
            }),
          ),
      ]),
    ]
  })
}

function mendRecord(store: Store, write: (tx: WriteTx) => unknown): () => Promise<void> {
  return async () => {
    store.write((tx) => void write(tx))
    await store.durable()
  }
}
