import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * When the output has come to match, this is typed; or, as `kill -INT`, sent to the process by itself; or, as
 * `size 40x100`, the terminal gets so many rows and columns.
 */
export type Step = readonly [expect: RegExp, type: string]

export interface InTerminal {
  /** All that the terminal has shown. */
  readonly shown: string
  /** The exit code, or minus the signal that has ended it. */
  readonly code: number
  /** The terminal's state afterwards: as a shell wants it. */
  readonly isSane: boolean
}

/** A new pseudo-terminal as the controlling one of a process: what it shows, answered step by step. */
const PROGRAM = `
import fcntl, json, os, re, select, signal, struct, subprocess, sys, termios, time
job = json.loads(sys.argv[1])
master, slave = os.openpty()
before = termios.tcgetattr(slave)
def resize(size):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', *map(int, size.split('x')), 0, 0))
resize('24x80')
def own():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = subprocess.Popen(job['argv'], stdin=slave, stdout=slave, stderr=slave, preexec_fn=own)
shown, seen = b'', 0
steps = job['steps']
last = time.monotonic() + 60
while True:
    if time.monotonic() > last:
        child.kill()
    ended = child.poll() is not None
    if select.select([master], [], [], 0 if ended else 0.05)[0]:
        shown += os.read(master, 65536)
    elif ended:
        break
    while steps:
        match = re.search(steps[0][0].encode(), shown[seen:])
        if not match:
            break
        seen += match.end()
        if steps[0][1].startswith('kill -'):
            child.send_signal(getattr(signal, 'SIG' + steps[0][1][6:]))
        elif steps[0][1].startswith('size '):
            resize(steps[0][1][5:])
        else:
            os.write(master, steps[0][1].encode())
        steps.pop(0)
sane = termios.tcgetattr(slave) == before
print(json.dumps({'shown': shown.decode(errors='replace'), 'code': child.returncode, 'isSane': sane, 'left': len(steps)}))
`

/** Runs a program in a terminal of its own to its end. Rejects if a step was not reached. */
export async function inTerminal(
  argv: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>>,
): Promise<InTerminal> {
  const job = JSON.stringify({ argv, steps: steps.map(([expect, type]) => [expect.source, type]) })
  const { stdout } = await promisify(execFile)('python3', ['-c', PROGRAM, job], { env: { ...process.env, ...env } })
  const { left, ...result } = JSON.parse(stdout)
  if (left > 0) throw new Error(`${left} steps were not reached; shown was: ${result.shown}`)
  return result
}
