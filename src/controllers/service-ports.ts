import { randomUUID } from 'node:crypto'
import type { Service } from '../model/kube/stored.ts'
import { hostPortIsFree } from '../network/index.ts'
import { tellOf } from '../resources/index.ts'
import type { ReadTx, Store, WriteTx } from '../store/index.ts'
import { leaseName, planServicePorts, portText, type ServicePortsPlan } from './plan-service-ports.ts'
import { ANY_ADDRESS, hostPortsOf } from './plan-services.ts'
import type { Controller } from './types.ts'

/** Has Services have the ports of the host that they ask for; what is in use is tried again, later each time. */
export function servicePortsController(store: Store): Controller {
  return {
    name: 'service-ports',
    triggers: { Service: ({ metadata }) => metadata.uid, PortLease: () => waitingServices(store) },
    async reconcile(_ctx, uid) {
      const listening = await portsInUse(store, uid)
      const plan = (tx: ReadTx) => {
        const service = tx.getByUid('Service', uid)
        return service && { service, ...planServicePorts(service, tx.list('PortLease'), listening, Date.now()) }
      }
      const next = store.read(plan)
      if (next === undefined) return undefined
      const { claim, release, condition, retryAfterMs } = next
      if (claim.length + release.length > 0 || condition !== undefined) {
        store.write((tx) => {
          const current = plan(tx)
          if (current !== undefined) write(tx, current.service, current)
        })
      }
      return retryAfterMs === undefined ? undefined : { requeueAfterMs: retryAfterMs }
    },
  }
}

/** Those that lack a port, which somebody else may have given back. */
function waitingServices(store: Store): string[] {
  return store
    .read((tx) => tx.list('Service'))
    .filter(({ status }) => status.conditions?.some(({ type, status }) => type === 'HostPorts' && status === 'False'))
    .map(({ metadata }) => metadata.uid)
}

/** Of the ports that a Service asks for and does not have those that programs of the host listen at. */
async function portsInUse(store: Store, uid: string): Promise<ReadonlySet<string>> {
  const { wanted, own } = store.read((tx) => {
    const service = tx.getByUid('Service', uid)
    return { wanted: service === undefined ? [] : hostPortsOf(service), own: tx.list('PortLease', { ownerUid: uid }) }
  })
  const listening = new Set<string>()
  for (const port of wanted) {
    const has = own.some(({ metadata }) => metadata.name === leaseName(port) && metadata.namespace === port.protocol)
    if (!has && !(await hostPortIsFree(ANY_ADDRESS, port.port, port.protocol))) listening.add(portText(port))
  }
  return listening
}

function write(tx: WriteTx, service: Service, { claim, release, condition }: ServicePortsPlan): void {
  const { metadata, status } = service
  for (const { metadata } of release) tx.delete('PortLease', metadata.uid)
  for (const port of claim) {
    tx.create('PortLease', {
      namespace: port.protocol,
      name: leaseName(port),
      uid: randomUUID(),
      owner: { frontEnd: 'kubernetes', kind: 'Service', uid: metadata.uid },
      spec: { sandboxId: metadata.uid },
      status: {},
    })
  }
  if (condition === undefined) return
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'HostPorts')
  const conditions = condition === 'none' ? others : [...others, condition]
  tx.putStatus('Service', metadata.uid, { conditions })
  if (condition === 'none' || condition.status === 'True') return
  tellOf(tx, 'Service', service, condition.reason, condition.message, { type: 'Warning' })
}
