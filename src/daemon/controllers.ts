import type { Containers } from '../containers/index.ts'
import { dnsController, healthController, restartController, runControllers } from '../controllers/index.ts'
import type { NameServer } from '../dns/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Store } from '../store/index.ts'

interface Parts {
  readonly store: Store
  readonly containers: Containers
  readonly nameServer: NameServer | undefined
}

/** Runs the controllers until disposed; what they have begun by then is finished. */
export function startControllers(ctx: Ctx, { store, containers, nameServer }: Parts): AsyncDisposable {
  const stopping = new AbortController()
  const controllers = [
    ...(nameServer === undefined ? [] : [dnsController(nameServer)]),
    healthController(containers),
    restartController(store, containers, ctx),
  ]
  const running = runControllers({ ...ctx, signal: stopping.signal }, store, controllers).catch((error) =>
    ctx.log.error('the controllers have stopped: restart the daemon', { error }),
  )
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}
