import type { FlagSpec, Flags } from './command.ts'
import { usageError } from './errors.ts'

/** What the public CLI shows unless told otherwise. */
const DEFAULT_LINES = '100'
/** Of the daemon's frames (`FRAME_STREAM` of the API). */
export const FRAMES = 'application/vnd.raind.stream'

export const LOG_FLAGS = {
  follow: { type: 'boolean', short: 'f', help: 'go on until the container ends' },
  tail: {
    type: 'string',
    short: 'n',
    value: 'N',
    help: `how many lines from the end, or all (default ${DEFAULT_LINES})`,
  },
  line: { type: 'string', value: 'N', help: 'the same, as the public Raind spells it' },
  since: { type: 'string', value: 'TIME', help: 'not what is older: a time, or how long ago (10m, 2h)' },
  until: { type: 'string', value: 'TIME', help: 'not what is younger' },
  timestamps: { type: 'boolean', short: 't', help: 'put the time before each line' },
} as const satisfies Readonly<Record<string, FlagSpec>>

/** The query of a container's log. @throws {CliError} */
export function logQuery(flags: Flags): URLSearchParams {
  const query = new URLSearchParams({
    follow: String(flags.is('follow')),
    timestamps: String(flags.is('timestamps')),
  })
  const lines = tailOf(flags)
  if (lines !== 'all') query.set('tail_lines', lines)
  for (const name of ['since', 'until']) {
    const text = flags.text(name)
    if (text !== undefined) query.set(name, timeOf(name, text))
  }
  return query
}

/** A number of lines, or all. */
export const LINES = /^(?:all|\d+)$/

function tailOf(flags: Flags): string {
  const text = flags.text('tail') ?? flags.text('line') ?? DEFAULT_LINES
  if (!LINES.test(text)) throw usageError(`--line wants a number of lines or "all", not "${text}"`)
  return text
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A time as the API takes it; `10m` is so long ago. */
function timeOf(flag: string, text: string): string {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)]
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_SECONDS[unit!]!, 0)
    return String(Date.now() / 1000 - seconds)
  }
  if (/^\d+(\.\d+)?$/.test(text)) return text
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw usageError(
    `--${flag} wants a time (2026-01-02T15:04:05), seconds since 1970, or how long ago (10m), not "${text}"`,
  )
}
