import type { Invocation } from '../command.ts'
import { bytes } from '../format.ts'

/** From here on it is worth looking at. */
const SHOW_FROM_BYTES = 1 << 20
const REDRAW_MS = 100

/** Counts what is copied, and shows it on a terminal while it is much. */
export interface ByteMeter extends Disposable {
  readonly add: (count: number) => void
  /** Says how much it was; returns it. */
  done(): number
}

export function byteMeter({ terminal, flags, json }: Invocation, target: string): ByteMeter {
  const out = terminal.stderr
  const quiet = flags.is('quiet') || json
  let total = 0
  let drawnAt = 0
  let drawn = false
  const clear = () => {
    if (drawn) out.write('\r\x1b[2K')
    drawn = false
  }
  return {
    add(count) {
      total += count
      if (quiet || !out.isTTY || total < SHOW_FROM_BYTES || Date.now() - drawnAt < REDRAW_MS) return
      drawnAt = Date.now()
      drawn = true
      out.write(`\r\x1b[2KCopying to ${target}: ${bytes(total)}`)
    },
    done() {
      clear()
      if (!quiet) out.write(`Successfully copied ${bytes(total)} to ${target}\n`)
      return total
    },
    [Symbol.dispose]: clear,
  }
}
