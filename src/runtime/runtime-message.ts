import { type StatusCode, StatusError } from '../lib/errors.ts'

/** Prefixes that say only that it was the runtime that failed. */
const NOISE = [
  /^crun: /,
  /^runc (create|run|start|exec) failed: /,
  /^exec failed: /,
  /^unable to start container process: /,
  /^error during container init: /,
]

/** What runc and crun say of a command, a working directory or a mount that the container does not have. */
const CALLERS_FAULT = [
  /executable file .* not found in \$PATH/,
  /^exec(?: container process)?\b.*:/,
  /^open executable: /,
  /^chdir /,
  /^mkdir .*: not a directory/,
  /^error stat'ing file /,
  /^error mounting .*: (?:no such file or directory|not a directory|too many levels of symbolic links)/,
  /^(?:open mount target|mount) `.*: Not a directory/,
  // Where a mount's destination is a symlink that leads nowhere, or in a circle.
  /^openat2 `.*: (?:No such file or directory|Too many levels of symbolic links|Not a directory)/,
  // Values that only the kernel can judge.
  /^(?:open|write)(?: to)? \/proc\/sys\//,
  /rlimit/,
  /too many open files/i,
  // The options of a tmpfs are the caller's own.
  /^mount `tmpfs` .*: Invalid argument/,
  /^error mounting "tmpfs" .*: invalid argument/,
]
/** What the host, not the container, has no more of. */
const EXHAUSTED =
  /no space left on device|disk quota exceeded|cannot allocate memory|resource temporarily unavailable|too many open files in system/i
const NOT_FOUND = /not found in \$PATH|no such file or directory/i

/** The error in what an OCI runtime wrote to stderr: its last line, without level, time and the runtime's own layers. */
export function runtimeMessage(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/\blevel="?(warning|info|debug)\b/.test(line))
  let message = unwrapLogLine(lines.at(-1) ?? '')
  for (const noise of NOISE) message = message.replace(noise, '')
  return message
}

/** `code` is `invalid_argument` where another command, directory or mount is what helps. */
export function runtimeError(stderr: string, context: Readonly<Record<string, unknown>>): StatusError {
  const message = runtimeMessage(stderr)
  const details = { ...context, stderr: stderr.split('\n').slice(-20).join('\n').slice(-4096) }
  return new StatusError(codeOf(message), message === '' ? 'The runtime failed and said nothing' : message, { details })
}

function codeOf(message: string): StatusCode {
  if (EXHAUSTED.test(message)) return 'resource_exhausted'
  return CALLERS_FAULT.some((fault) => fault.test(message)) ? 'invalid_argument' : 'internal'
}

/** As the shells have it: 127 for a command that is not there, 126 for one that cannot be run. */
export function exitCodeOfFailure(message: string): 126 | 127 {
  return NOT_FOUND.test(message) ? 127 : 126
}

/** A line of logrus text (`time=... level=error msg="..."`) or JSON, or plain text. */
function unwrapLogLine(line: string): string {
  const quoted = /^time=.* msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1]
  try {
    if (quoted !== undefined) return JSON.parse(quoted)
    if (line.startsWith('{')) return JSON.parse(line).msg ?? line
  } catch {
    // Not JSON after all: the line is the message.
  }
  return line
}
