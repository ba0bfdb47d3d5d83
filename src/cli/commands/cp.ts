import type { Command } from '../command.ts'
import { parseCopyPath } from '../copy/copy-path.ts'
import { usageError } from '../errors.ts'

export const cp: Command = {
  names: ['container cp', 'cp'],
  summary: 'Copy files out of a container or into it; - is a tar on stdin or stdout',
  usage: 'SRC DST',
  flags: {
    archive: { type: 'boolean', short: 'a', help: 'keep owners (else what is copied is root’s there, yours here)' },
    'follow-link': { type: 'boolean', short: 'L', help: 'copy what a symbolic link at SRC leads to' },
    quiet: { type: 'boolean', short: 'q', help: 'show no progress' },
  },
  minArgs: 2,
  maxArgs: 2,
  async run(invocation) {
    const [source, target] = invocation.args.map(parseCopyPath)
    if (source!.container !== undefined && target!.container !== undefined) {
      throw usageError('"raind cp" copies between a container and this host, not between containers')
    }
    const { copyIn, copyOut } = await import('../copy/copy.ts')
    const isOut = source!.container !== undefined
    if (!isOut && target!.container === undefined) {
      throw usageError('"raind cp" wants a container on one side: CONTAINER:PATH')
    }
    const bytes = isOut
      ? await copyOut(invocation, source!.container!, source!.path, target!.path)
      : await copyIn(invocation, source!.path, target!.container!, target!.path)
    if (invocation.json && target!.path !== '-') invocation.terminal.stdout.write(`${JSON.stringify({ bytes })}\n`)
  },
}
