import type { WireVersion } from '../../api/raind/index.ts'
import { version as clientVersion } from '../../lib/version.ts'
import type { Command } from '../command.ts'
import { CliError } from '../errors.ts'
import { table } from '../table.ts'

export const version: Command = {
  names: ['version', 'system version'],
  summary: 'Print the versions of this client and of the daemon',
  usage: '',
  maxArgs: 0,
  async run({ client, terminal, json }) {
    let daemon: WireVersion | undefined
    let problem: CliError | undefined
    try {
      daemon = await client.call<WireVersion>('GET', '/v1/version')
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      problem = error
    }
    if (json) terminal.stdout.write(`${JSON.stringify({ client: clientVersion, daemon: daemon ?? null })}\n`)
    else {
      const rows = [['client', clientVersion]]
      if (daemon !== undefined)
        rows.push(['daemon', daemon.version], ['runtime', `${daemon.runtime.name} ${daemon.runtime.version}`])
      terminal.stdout.write(table(['PART', 'VERSION'], rows))
    }
    if (problem !== undefined) throw problem
  },
}
