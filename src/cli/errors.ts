/** An error for the person at the terminal: one line what is wrong, and a hint where there is one. */
export class CliError extends Error {
  readonly hint: string | undefined
  readonly exitCode: number
  /** The HTTP status, where the daemon has answered with an error. */
  readonly status: number | undefined
  /** What has ended the command: whoever called this program shall see that. */
  readonly signal: NodeJS.Signals | undefined

  constructor(
    message: string,
    hint?: string,
    { exitCode = 1, status, signal }: { exitCode?: number; status?: number | undefined; signal?: NodeJS.Signals } = {},
  ) {
    super(message)
    this.name = 'CliError'
    this.hint = hint
    this.exitCode = exitCode
    this.status = status
    this.signal = signal
  }
}

/** As docker: the command line itself was wrong. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, hint, { exitCode: 125 })
}

/** The end of a command that has gone on after failures: throws the only one, or tells all and returns the exit code. */
export function settle(errors: readonly Error[], { stderr }: { readonly stderr: NodeJS.WritableStream }): number {
  if (errors.length === 1) throw errors[0]
  for (const error of errors) stderr.write(`raind: ${error.message}\n`)
  return errors.length > 0 ? 1 : 0
}
