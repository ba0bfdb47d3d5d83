import { setTimeout as sleep } from 'node:timers/promises'
import type { NameServer } from '../dns/index.ts'
import type { Controller } from './types.ts'

/** Changes come in bursts, and each costs a look at all that there is. */
const GATHER_MS = 10

/** Tells the name server of every container, network, pod and Service that comes, changes or goes. */
export function dnsController(nameServer: NameServer): Controller {
  const all = () => 'records'
  return {
    name: 'dns',
    triggers: { Container: all, Sandbox: all, Network: all, Pod: all, Service: all },
    async reconcile() {
      // Who needs a name now, a start, waits for `sync` itself.
      await sleep(GATHER_MS)
      await nameServer.sync()
      return undefined
    },
  }
}
