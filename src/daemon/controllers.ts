import type { Containers } from '../containers/index.ts'
import {
  type Controller,
  dnsController,
  evictionController,
  garbageController,
  healthController,
  namespaceController,
  PodProbes,
  podController,
  podProbesController,
  replicaSetController,
  restartController,
  runControllers,
  serviceController,
  servicePortsController,
} from '../controllers/index.ts'
import type { NameServer } from '../dns/index.ts'
import type { Images } from '../images/index.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { NetworkDriver } from '../network/index.ts'
import type { Store } from '../store/index.ts'

interface Parts {
  readonly store: Store
  readonly images: Images
  readonly containers: Containers
  readonly network: NetworkDriver
  readonly nameServer: NameServer | undefined
  /** The host's own address. */
  readonly hostIp: () => string | undefined
}

/** Runs the controllers until disposed; what they have begun by then is finished. */
export function startControllers(ctx: Ctx, parts: Parts): AsyncDisposable {
  const { store, containers, network, nameServer } = parts
  const stopping = new AbortController()
  const probes = new PodProbes(ctx, store, containers.pods)
  const controllers: readonly Controller[] = [
    ...(nameServer === undefined ? [] : [dnsController(nameServer)]),
    healthController(containers),
    restartController(store, containers, ctx),
    podController({ ...parts, daemon: ctx }),
    podProbesController(probes),
    evictionController(store, containers.pods),
    replicaSetController(store),
    servicePortsController(store),
    serviceController(store, network),
    namespaceController(store),
    garbageController(store),
  ]
  const running = runControllers({ ...ctx, signal: stopping.signal }, store, controllers).catch((error) =>
    ctx.log.error('the controllers have stopped: restart the daemon', { error }),
  )
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
      await probes[Symbol.asyncDispose]()
    },
  }
}
