import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { summary, type Times, timed } from './stats.ts'

const run = promisify(execFile)

/** A Node that does nothing, from start to end: what a promise in ms has to be read against on a busy machine. */
export async function bareNode(count: number): Promise<Times> {
  const times: number[] = []
  for (let index = 0; index < count; index++) times.push(await timed(() => run(process.execPath, ['-e', '0'])))
  return summary(times)
}
