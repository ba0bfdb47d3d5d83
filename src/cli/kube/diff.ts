import type { WireObjectDiff } from '../../api/raind/index.ts'
import type { Invocation } from '../command.ts'
import { CliError } from '../errors.ts'
import { diffText } from './diff-text.ts'
import { applyQuery, sendManifests } from './send-manifests.ts'

const DIFFERENT = 1
/** As kubectl: what is above 1 is a failure. */
const FAILED = 2

/** Resolves with the exit code: whether there are differences. @throws {CliError} */
export async function diffManifests(invocation: Invocation): Promise<number> {
  const { terminal, flags, json } = invocation
  try {
    const diffs = await sendManifests<WireObjectDiff[]>(invocation, `/v1/resource/diff?${applyQuery(flags)}`)
    const texts = await Promise.all(diffs.map(diffText))
    terminal.stdout.write(json ? `${JSON.stringify(diffs, undefined, 2)}\n` : texts.join(''))
    return texts.some((text) => text !== '') ? DIFFERENT : 0
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode > DIFFERENT) throw error
    throw new CliError(error.message, error.hint, { exitCode: FAILED, status: error.status })
  }
}
