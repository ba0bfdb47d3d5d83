import type { Ctx } from '../lib/ctx.ts'
import { containerState } from '../model/container.ts'
import type { Deps } from './deps.ts'
import { findContainer } from './find.ts'
import type { ExitResult } from './types.ts'

/** Resolves when the container does not run (any more), or its next restart has ended; for one that never ran, with 0 at once, as docker's does. */
export async function waitContainer(ctx: Ctx, { store, exits }: Deps, ref: string): Promise<ExitResult> {
  const { metadata, status } = store.read((tx) => findContainer(tx, ref))
  if (status.pid !== undefined || containerState(status) === 'restarting') return await exits.next(ctx, metadata.uid)
  return { exitCode: status.exitCode ?? 0, oomKilled: status.oomKilled ?? false }
}
