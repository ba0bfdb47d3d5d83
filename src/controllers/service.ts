import { randomUUID } from 'node:crypto'
import type { ServiceCondition } from '../model/kube/service.ts'
import type { Service } from '../model/kube/stored.ts'
import { kubeTime } from '../model/kube/time.ts'
import { hostPortIsFree, type NetworkDriver } from '../network/index.ts'
import { tellOf } from '../resources/index.ts'
import type { Store, WriteTx } from '../store/index.ts'
import { ANY_ADDRESS, type HostPort, hostPortsOf, planServices } from './plan-services.ts'
import type { Controller } from './types.ts'

/** Keeps the kernel's rules as Services and their pods are; all of them at once, since a change is one message. */
export function serviceController(store: Store, network: Pick<NetworkDriver, 'setServices'>): Controller {
  const all = () => 'services'
  return {
    name: 'service',
    triggers: { Service: all, Pod: all, PortLease: all },
    async reconcile(ctx) {
      for (const service of store.read((tx) => tx.list('Service'))) await claimPorts(store, service)
      const rules = store.read((tx) => planServices(tx.list('Service'), tx.list('Pod'), tx.list('PortLease')))
      await network.setServices(ctx, rules)
      return undefined
    },
  }
}

/** Takes the ports of the host that a Service wants where nobody has them, and gives back those it does not want any more. */
async function claimPorts(store: Store, service: Service): Promise<void> {
  const { uid } = service.metadata
  const wanted = hostPortsOf(service)
  const owned = store.read((tx) => tx.list('PortLease', { ownerUid: uid }))
  if (wanted.length === 0 && owned.length === 0 && service.status.conditions === undefined) return
  const listening = new Set<string>()
  for (const { port, protocol } of wanted) {
    const name = leaseName(port)
    if (owned.some(({ metadata }) => metadata.name === name && metadata.namespace === protocol)) continue
    if (!(await hostPortIsFree(ANY_ADDRESS, port, protocol))) listening.add(`${port}/${protocol}`)
  }
  store.write((tx) => {
    const current = tx.getByUid('Service', uid)
    if (current === undefined) return
    const missing = hostPortsOf(current).flatMap((port) => claim(tx, current, port, listening) ?? [])
    for (const { metadata } of tx.list('PortLease', { ownerUid: uid })) {
      const isWanted = hostPortsOf(current).some(
        ({ port, protocol }) => leaseName(port) === metadata.name && protocol === metadata.namespace,
      )
      if (!isWanted) tx.delete('PortLease', metadata.uid)
    }
    tellPorts(tx, current, missing)
  })
}

/** Why the Service cannot have the port; undefined if it has it now. */
function claim(
  tx: WriteTx,
  { metadata }: Service,
  { port, protocol }: HostPort,
  listening: ReadonlySet<string>,
): string | undefined {
  const leases = tx.list('PortLease', { namespace: protocol, namePrefix: `${port}/` })
  if (leases.some(({ spec }) => spec.sandboxId === metadata.uid)) return undefined
  if (leases.length > 0) return `${port}/${protocol} is published by another`
  if (listening.has(`${port}/${protocol}`)) return `${port}/${protocol} is in use by a program of the host`
  tx.create('PortLease', {
    namespace: protocol,
    name: leaseName(port),
    uid: randomUUID(),
    owner: { frontEnd: 'kubernetes', kind: 'Service', uid: metadata.uid },
    spec: { sandboxId: metadata.uid },
    status: {},
  })
  return undefined
}

function tellPorts(tx: WriteTx, service: Service, missing: readonly string[]): void {
  const { status, metadata } = service
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'HostPorts')
  const before = status.conditions?.find(({ type }) => type === 'HostPorts')
  if (hostPortsOf(service).length === 0) {
    if (before !== undefined) tx.putStatus('Service', metadata.uid, { conditions: others })
    return
  }
  const message =
    missing.length === 0
      ? 'The Service answers at its ports of the host'
      : `It does not answer at: ${missing.join('; ')}`
  const state = missing.length === 0 ? 'True' : 'False'
  if (before?.status === state && before.message === message) return
  const condition: ServiceCondition = {
    type: 'HostPorts',
    status: state,
    reason: missing.length === 0 ? 'PortsClaimed' : 'PortsInUse',
    message,
    lastTransitionTime: before?.status === state ? before.lastTransitionTime : kubeTime(Date.now()),
  }
  tx.putStatus('Service', metadata.uid, { conditions: [...others, condition] })
  if (missing.length > 0) tellOf(tx, 'Service', service, 'PortsInUse', message, { type: 'Warning' })
}

function leaseName(port: number): string {
  return `${port}/${ANY_ADDRESS}`
}
