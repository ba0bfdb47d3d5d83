import type { Ctx } from '../lib/ctx.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Container } from '../model/container.ts'
import type { Sandbox } from '../model/network.ts'
import type { ReadTx } from '../store/index.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import { chooseHostPorts, leasePorts, releasePorts } from './ports.ts'
import { portRules, sandboxKey } from './sandbox.ts'

/**
 * Publishes the ports of a container that runs in place of another one, which has them: each new connection goes to one
 * of the two, and those that are open stay where they are. The caller holds the locks of both.
 */
export async function takePorts(ctx: Ctx, deps: Deps, heirId: string, holderId: string): Promise<void> {
  const { store, network } = deps
  const { heir, holder } = store.read((tx) => ({
    heir: sandboxOf(tx, findContainer(tx, heirId)),
    holder: sandboxOf(tx, findContainer(tx, holderId)),
  }))
  const { uid } = holder.metadata
  // A port that was chosen stays the same.
  const ports = await chooseHostPorts(
    store,
    { ...heir, status: { ...heir.status, ports: holder.status.ports ?? [] } },
    uid,
  )
  failpoint('ports.take')
  store.write((tx) => {
    releasePorts(tx, uid)
    leasePorts(tx, ports, heir.metadata.uid)
    tx.putStatus('Sandbox', uid, { ports: [] })
    tx.putStatus('Sandbox', heir.metadata.uid, { ports })
  })
  // Of two that publish the same the first has it, until it goes: one change in the kernel.
  await network.setPorts(ctx, sandboxKey(heir), portRules(deps, heir, ports))
  await network.clearPorts(ctx, sandboxKey(holder))
}

function sandboxOf(tx: ReadTx, { spec }: Container): Sandbox {
  return tx.getByUid('Sandbox', spec.sandboxId)!
}
