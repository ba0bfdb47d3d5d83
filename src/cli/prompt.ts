import type { Terminal } from './command.ts'
import { CliError } from './errors.ts'
import { interrupted } from './interruption.ts'

/** Asks at the terminal for a line. The terminal itself does the editing, and Ctrl-C ends the program. */
export async function promptLine({ stdin, stderr }: Terminal, question: string): Promise<string> {
  stderr.write(question)
  let typed = ''
  try {
    for await (const chunk of stdin.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      typed += chunk
      if (typed.includes('\n')) return typed.slice(0, typed.indexOf('\n')).trim()
    }
  } finally {
    stdin.pause()
  }
  stderr.write('\n')
  throw nothingDone()
}

/** The same without showing what is typed. */
export async function promptSecret(terminal: Terminal, question: string): Promise<string> {
  const typed = await readHidden(terminal, question)
  if (typed !== undefined) return typed
  // As the terminal does itself where it is not raw: for the whole job, of which a script may be a part.
  process.kill(0, 'SIGINT')
  throw interrupted('SIGINT')
}

/** Undefined after Ctrl-C. */
async function readHidden({ stdin, stderr }: Terminal, question: string): Promise<string | undefined> {
  stdin.setRawMode(true)
  let typed = ''
  try {
    stderr.write(question)
    for await (const chunk of stdin.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') return typed
        if (character === '\x03') return undefined
        if (character === '\x04') throw nothingDone()
        if (character === '\x15') typed = ''
        else typed = character === '\x7f' || character === '\b' ? typed.slice(0, -1) : typed + character
      }
    }
    return typed
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

/** Shows the warning, and asks whether to go on. @throws {CliError} unless the answer is yes, or where there is nobody to ask */
export async function confirm(terminal: Terminal, warning: string): Promise<void> {
  if (!terminal.stdin.isTTY) {
    throw new CliError('Nothing was done: there is no terminal to ask at', 'Give --force to do it without a question', {
      exitCode: 125,
    })
  }
  terminal.stderr.write(warning)
  const answer = await promptLine(terminal, 'Are you sure you want to continue? [y/N] ')
  if (!/^y(es)?$/i.test(answer)) throw new CliError('Nothing was done')
}

function nothingDone(): CliError {
  return new CliError('Nothing was done')
}
