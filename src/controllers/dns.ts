import type { NameServer } from '../dns/index.ts'
import type { Controller } from './types.ts'

/** Tells the name server of every container, network, pod and Service that comes, changes or goes. */
export function dnsController(nameServer: NameServer): Controller {
  const all = () => 'records'
  return {
    name: 'dns',
    triggers: { Container: all, Sandbox: all, Network: all, Pod: all, Service: all },
    async reconcile() {
      await nameServer.sync()
      return undefined
    },
  }
}
