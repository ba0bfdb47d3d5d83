import { writeSync } from 'node:fs'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
export type LogFields = Readonly<Record<string, unknown>>

/** Constant message, variable fields: `log.info('container started', { containerId })`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Logger
}

/** One JSON object a line on stderr: `time` (RFC 3339), `level`, `message`, then the fields. */
export function jsonLogger(
  minimum: LogLevel,
  write: (line: string) => void = writeStderr,
  base: LogFields = {},
): Logger {
  const threshold = LEVELS.indexOf(minimum)
  const emit = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) < threshold) return
    const line = { time: new Date().toISOString(), level, message, ...base, ...fields }
    write(`${JSON.stringify(line, errorsAsText)}\n`)
  }
  return {
    debug: emit('debug'),
    info: emit('info'),
    warn: emit('warn'),
    error: emit('error'),
    with: (fields) => jsonLogger(minimum, write, { ...base, ...fields }),
  }
}

/** Drops every line. For tests. */
export const silentLogger: Logger = jsonLogger('error', () => {})

export function isLogLevel(text: string): text is LogLevel {
  return (LEVELS as readonly string[]).includes(text)
}

function errorsAsText(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? value.toString() : value
}

function writeStderr(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // A log that cannot be written must not take the daemon down with it.
  }
}
