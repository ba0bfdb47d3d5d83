import type { NetworkDriver } from '../network/index.ts'
import type { Store } from '../store/index.ts'
import { planServices } from './plan-services.ts'
import type { Controller } from './types.ts'

/** Keeps the kernel's rules as Services and their pods are; all of them at once, since a change is one message. */
export function serviceController(store: Store, network: Pick<NetworkDriver, 'setServices'>): Controller {
  const all = () => 'services'
  return {
    name: 'service',
    triggers: { Service: all, Pod: all, PortLease: all },
    async reconcile(ctx) {
      const rules = store.read((tx) => planServices(tx.list('Service'), tx.list('Pod'), tx.list('PortLease')))
      await network.setServices(ctx, rules)
      return undefined
    },
  }
}
