import { messageOf } from '../lib/errors.ts'

/** Which of what a daemon keeps a finding is about. */
export type FindingPart =
  | 'store'
  | 'container'
  | 'process'
  | 'mount'
  | 'network'
  | 'rules'
  | 'lease'
  | 'volume'
  | 'layer'
  | 'blob'
  | 'file'

/** Where records, kernel and disk disagree. */
export interface Finding {
  readonly part: FindingPart
  /** What it is about: a container's name, a network, a path, a digest. */
  readonly subject: string
  /** What is wrong, in words. */
  readonly problem: string
  /** The container that it is about, if it is about one that is known. */
  readonly containerId?: string
}

/** A finding before anybody has done anything about it. */
export interface Fault extends Finding {
  /** Brings both sides into agreement; idempotent. Absent where that would cost somebody data or a running program. */
  readonly mend?: () => Promise<unknown>
  /** What a user can do where there is no `mend`. */
  readonly advice?: string
}

/** A finding and what became of it. */
export interface CheckedFinding extends Finding {
  readonly mended: boolean
  /** What is left for a user to do; empty if it was mended. */
  readonly advice: string
}

/** Mends these faults, one after the other, if that is asked for. A mend that fails says so in its finding. */
export async function settleFaults(faults: readonly Fault[], repair: boolean): Promise<CheckedFinding[]> {
  const settled: CheckedFinding[] = []
  for (const { mend, advice, ...finding } of faults) {
    if (mend === undefined) settled.push({ ...finding, mended: false, advice: advice ?? '' })
    else if (!repair) settled.push({ ...finding, mended: false, advice: 'a check with repair mends it' })
    else settled.push({ ...finding, ...(await tryMend(mend)) })
  }
  return settled
}

async function tryMend(mend: () => Promise<unknown>): Promise<Pick<CheckedFinding, 'mended' | 'advice'>> {
  try {
    await mend()
    return { mended: true, advice: '' }
  } catch (error) {
    return { mended: false, advice: `it could not be mended: ${messageOf(error)}` }
  }
}
