import { type Ctx, throwIfEnded } from '../lib/ctx.ts'
import type { Usage, UsageTarget } from '../linux/cgroup-usage.ts'
import type { KernelThread } from '../linux/kernel-thread.ts'

/** At 0.2 to 0.4 ms each: a start that comes meanwhile waits for no more than this. */
const AT_ONCE = 8

/** A few containers a call, so that the kernel thread is free for others in between. */
export async function readUsage(
  ctx: Ctx,
  thread: KernelThread,
  targets: readonly UsageTarget[],
): Promise<readonly (Usage | undefined)[]> {
  const found: (Usage | undefined)[] = []
  for (let start = 0; start < targets.length; start += AT_ONCE) {
    throwIfEnded(ctx)
    const some = targets.slice(start, start + AT_ONCE)
    found.push(...(await thread.call<(Usage | undefined)[]>('cgroup.usage', some)))
  }
  return found
}
