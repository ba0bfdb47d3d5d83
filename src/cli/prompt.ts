import type { Terminal } from './command.ts'
import { CliError } from './errors.ts'

/** Asks at the terminal for a line. */
export async function promptLine({ stdin, stderr }: Terminal, question: string): Promise<string> {
  // Loaded here, because most commands ask nothing and shall start fast.
  const lines = process
    .getBuiltinModule('node:readline/promises')
    .createInterface({ input: stdin, output: stderr, terminal: true })
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}

/** The same without showing what is typed. */
export async function promptSecret({ stdin, stderr }: Terminal, question: string): Promise<string> {
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.resume()
  let typed = ''
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') return typed
        if (character === '\x03' || character === '\x04')
          throw new CliError('Nothing was done', undefined, { exitCode: 130 })
        typed = character === '\x7f' || character === '\b' ? typed.slice(0, -1) : typed + character
      }
    }
    return typed
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
