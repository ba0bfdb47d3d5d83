import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../../test/support/api-client.ts'

/** Waits for a daemon of somebody else, which does not say when it listens. */
export async function untilItAnswers(
  child: ChildProcess,
  api: ApiClient,
  path: string,
  log: () => string,
): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const answer = await api.get(path).catch(() => undefined)
    if (answer?.status === 200) return
    if (child.exitCode !== null) break
    await sleep(50)
  }
  throw new Error(`${child.spawnargs.join(' ')} does not answer: ${log().slice(-4000)}`)
}
