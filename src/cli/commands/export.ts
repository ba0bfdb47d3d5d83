import type { Command } from '../command.ts'
import { writeArchive } from './save.ts'

export const exportContainer: Command = {
  names: ['container export', 'export'],
  summary: 'Write the root filesystem of a container to a tar archive',
  usage: 'CONTAINER',
  flags: { output: { type: 'string', short: 'o', value: 'FILE', help: 'write to a file instead of stdout' } },
  minArgs: 1,
  maxArgs: 1,
  async run({ client, terminal, flags, args, json }) {
    const output = flags.text('output')
    const path = `/v1/containers/${encodeURIComponent(args[0]!)}/export`
    await writeArchive({ client, terminal, path, output, usage: 'raind export -o FILE CONTAINER' })
    if (output !== undefined && json) terminal.stdout.write(`${JSON.stringify({ output, container: args[0] })}\n`)
  },
}
