import type { Container } from '../model/container.ts'
import { containerEvent } from '../model/event.ts'
import type { Deps } from './deps.ts'

/** Takes back a restart that is due: the container stays as it is, and whoever waits for its end is told. */
export function cancelRestart({ store, exits }: Deps, { metadata }: Container, action: 'stop' | 'kill'): Container {
  const container = store.write((tx) => {
    const current = tx.putStatus('Container', metadata.uid, {
      stopRequestedAt: Date.now(),
      nextRestartAt: undefined,
      restartDelayMs: undefined,
    })
    tx.event(containerEvent(current, action))
    return current
  })
  tellEnd({ exits }, container)
  return container
}

/** Wakes those who wait for the end of a container that does not run, and will not. */
export function tellEnd({ exits }: Pick<Deps, 'exits'>, { metadata, status }: Container): void {
  exits.notify(metadata.uid, { exitCode: status.exitCode ?? 0, oomKilled: status.oomKilled ?? false })
}
