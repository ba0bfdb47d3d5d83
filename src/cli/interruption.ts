import { CliError } from './errors.ts'

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Until disposed the first Ctrl-C (or other end that is asked for) does not end the program but aborts `signal`, so that
 * what was begun can be taken back; the second ends it. Who has taken back throws the signal's reason.
 *
 * @param hint what the user should know then
 */
export function catchInterruption(hint?: string): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const abort = (signal: NodeJS.Signals) => controller.abort(interrupted(signal as keyof typeof SIGNALS, hint))
  for (const name of Object.keys(SIGNALS)) process.once(name, abort)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of Object.keys(SIGNALS)) process.off(name, abort)
    },
  }
}

/** Ends the program as that signal does. */
export function interrupted(signal: keyof typeof SIGNALS, hint?: string): CliError {
  return new CliError('Interrupted', hint, { exitCode: SIGNALS[signal], signal })
}
