import { coalesce } from '../lib/coalesce.ts'
import type { Ctx } from '../lib/ctx.ts'
import { settleFaults } from '../model/finding.ts'
import { faultsOfNetworks } from './check-networks.ts'
import type { Deps } from './deps.ts'

/** Links go in steps where somebody takes the host's network down and up again. */
const SETTLE_MS = 200

/** Until disposed of, makes bridges and rules what they should be again when others change them. */
export async function guardNetworks(ctx: Ctx, deps: Deps): Promise<Disposable> {
  const mend = async () => {
    await faultsOfNetworks(ctx, deps, async (faults) => {
      for (const { subject, problem, mended, advice } of await settleFaults(faults, true)) {
        deps.log.warn('a network was changed by someone else', { subject, problem, mended, advice })
      }
    })
  }
  const mending = coalesce(SETTLE_MS, () =>
    mend().catch((error) => deps.log.error('networks cannot be mended', { error })),
  )
  const stack = new DisposableStack()
  stack.use(mending)
  stack.use(await deps.network.watch(mending.call))
  return stack
}
