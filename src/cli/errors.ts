/** An error for the person at the terminal: one line what is wrong, and a hint where there is one. */
export class CliError extends Error {
  readonly hint: string | undefined
  readonly exitCode: number
  /** The HTTP status, where the daemon has answered with an error. */
  readonly status: number | undefined

  constructor(
    message: string,
    hint?: string,
    { exitCode = 1, status }: { exitCode?: number; status?: number | undefined } = {},
  ) {
    super(message)
    this.name = 'CliError'
    this.hint = hint
    this.exitCode = exitCode
    this.status = status
  }
}

/** As docker: the command line itself was wrong. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, hint, { exitCode: 125 })
}
