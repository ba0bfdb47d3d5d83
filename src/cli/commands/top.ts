import type { WireTop } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

export const top: Command = {
  names: ['container top', 'top'],
  summary: 'Show the processes of a container',
  usage: 'CONTAINER',
  flags: { quiet: { type: 'boolean', short: 'q', help: 'print pids only' } },
  minArgs: 1,
  maxArgs: 1,
  async run({ client, terminal, flags, args, json }) {
    const path = `/v1/containers/${encodeURIComponent(args[0]!)}/top`
    const { titles, processes } = await client.call<WireTop>('GET', path)
    if (json) terminal.stdout.write(`${JSON.stringify({ titles, processes }, undefined, 2)}\n`)
    else if (flags.is('quiet')) {
      const column = titles.indexOf('PID')
      terminal.stdout.write(processes.map((row) => `${row[column]}\n`).join(''))
    } else terminal.stdout.write(table(titles, processes))
  },
}
