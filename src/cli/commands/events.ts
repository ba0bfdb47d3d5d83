import { once } from 'node:events'
import type { Failure, WireEvent } from '../../api/raind/index.ts'
import { linesOf } from '../client.ts'
import type { Command } from '../command.ts'
import { CliError } from '../errors.ts'

export const events: Command = {
  names: ['events', 'system events'],
  summary: 'Print what happens to containers, images and networks, as it does',
  usage: '',
  flags: {
    since: { type: 'string', value: 'TIME', help: 'begin there: 2026-01-02T03:04:05Z, 10m (ago), or after a sequence' },
    until: { type: 'string', value: 'TIME', help: 'end there, instead of never' },
    filter: {
      type: 'string',
      short: 'f',
      multiple: true,
      value: 'EVENT_FILTER',
      help: 'only these; keys: type, event, container, image, network, volume, label (type=container)',
    },
  },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const [since, until] = [flags.text('since'), flags.text('until')]
    const query = new URLSearchParams([
      ...(since === undefined ? [] : [['since', since]]),
      ...(until === undefined ? [] : [['until', until]]),
      ...flags.list('filter').map((filter) => ['filter', filter]),
    ])
    let last: WireEvent | undefined
    try {
      for await (const line of linesOf(await client.stream('GET', `/v1/events?${query}`))) {
        const event = JSON.parse(line) as WireEvent | Failure
        if ('status' in event) throw new CliError(event.message)
        last = event
        if (!terminal.stdout.write(json ? `${line}\n` : eventLine(event))) await once(terminal.stdout, 'drain')
      }
    } catch (error) {
      // A daemon that is killed ends it so; where it ends well without its time having come is for below.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
      throw brokenOff(last?.sequence ?? since)
    }
    if (until === undefined) throw brokenOff(last?.sequence ?? since)
  },
}

/** As docker: `TIME container die ID (exitCode=0, name=web)`. */
function eventLine({ time, type, action, id, name, attributes }: WireEvent): string {
  const pairs = Object.entries({ ...attributes, ...(name !== '' && { name }) }).map(([key, value]) => `${key}=${value}`)
  return `${[time, type, action, id].filter((word) => word !== '').join(' ')} (${pairs.sort().join(', ')})\n`
}

function brokenOff(since: string | number | undefined): CliError {
  const hint = since === undefined ? undefined : `Nothing is lost: go on with raind events --since ${since}`
  return new CliError('The daemon has ended the connection', hint)
}
