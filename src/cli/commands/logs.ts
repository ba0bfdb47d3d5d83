import { once } from 'node:events'
import type { Client } from '../client.ts'
import type { Command, Terminal } from '../command.ts'

/** What the public CLI shows unless told otherwise. */
const DEFAULT_LINES = 100
/** The daemon gives no more than this at once. */
const MAX_LINES = 5000

export const logs: Command = {
  names: ['container logs', 'logs'],
  summary: "Print the last lines of a container's output",
  usage: 'CONTAINER',
  flags: {
    line: { type: 'string', value: 'N', help: `how many lines (default ${DEFAULT_LINES})` },
    tail: { type: 'string', short: 'n', value: 'N', help: 'the same, as docker spells it' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run({ client, terminal, flags, args }) {
    const lines = flags.number('line') ?? flags.number('tail') ?? DEFAULT_LINES
    await printLog(client, terminal, `/v1/containers/${encodeURIComponent(args[0]!)}`, lines)
  },
}

export async function printLog(
  client: Client,
  { stdout }: Terminal,
  containerPath: string,
  lines = MAX_LINES,
): Promise<void> {
  for await (const chunk of await client.stream('GET', `${containerPath}/log?tail_lines=${lines}`)) {
    if (!stdout.write(chunk)) await once(stdout, 'drain')
  }
}
