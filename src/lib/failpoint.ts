/**
 * Named points before each side effect, for the crash tests: `failpoint('start.network')`.
 *
 * The daemon reads `CONDENSER_FAILPOINT=name[:hit][=kill|error]` once, at its start; only who may start it as root
 * can set it. Unset, a point costs one comparison. `hit` counts from 1 (the default); `kill` (the default) ends the process with
 * SIGKILL, `error` throws. `CONDENSER_FAILPOINT_LOG=FILE` instead appends every point's name as it is passed.
 */
import { appendFileSync } from 'node:fs'

interface Armed {
  readonly name: string
  hitsLeft: number
  readonly action: 'kill' | 'error'
}

const armed = parse(process.env['CONDENSER_FAILPOINT'])
const trace = process.env['CONDENSER_FAILPOINT_LOG']
const active = armed !== undefined || trace !== undefined

export function failpoint(name: string): void {
  if (!active) return
  if (trace !== undefined) appendFileSync(trace, `${name}\n`)
  if (armed === undefined || armed.name !== name || --armed.hitsLeft !== 0) return
  if (armed.action === 'error') throw new Error(`Failpoint ${name} was hit`)
  process.kill(process.pid, 'SIGKILL')
  // SIGKILL is delivered on return to user space at the latest; nothing after this line has an effect.
  for (;;);
}

function parse(text: string | undefined): Armed | undefined {
  if (text === undefined || text === '') return undefined
  const match = /^([a-z0-9.-]+)(?::(\d+))?(?:=(kill|error))?$/.exec(text)
  if (match === null) throw new Error(`Cannot parse CONDENSER_FAILPOINT "${text}": want name[:hit][=kill|error]`)
  return { name: match[1]!, hitsLeft: Number(match[2] ?? 1), action: match[3] === 'error' ? 'error' : 'kill' }
}
