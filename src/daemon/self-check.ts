import type { Bottles } from '../bottles/index.ts'
import type { Containers } from '../containers/index.ts'
import type { Ctx } from '../lib/ctx.ts'

/** When the daemon has had time for whatever it found at its start. */
const FIRST_MS = 60_000
/** For what nobody tells of: a mount that is gone, files that were removed. */
const AGAIN_MS = 15 * 60_000

/** Compares records, kernel and disk from time to time; what is not as it should be is logged, and told by /v1/health. */
export function startSelfChecks(
  ctx: Ctx,
  { containers, bottles }: { readonly containers: Pick<Containers, 'check'>; readonly bottles: Pick<Bottles, 'check'> },
): Disposable {
  let timer: NodeJS.Timeout
  const check = async () => {
    try {
      const findings = [...(await containers.check(ctx)), ...(await bottles.check())]
      for (const { subject, problem, advice } of findings) {
        ctx.log.warn('records, kernel and disk disagree', { subject, problem, advice })
      }
    } catch (error) {
      ctx.log.error('records, kernel and disk could not be compared', { error })
    }
    later(AGAIN_MS)
  }
  const later = (ms: number) => {
    if (ctx.signal.aborted) return
    timer = setTimeout(() => void check(), ms).unref()
  }
  later(FIRST_MS)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
