import type { WireSystemCheck } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

export const check: Command = {
  names: ['system check'],
  summary: 'Compare the records of the daemon with the kernel and the disk',
  usage: '',
  flags: { repair: { type: 'boolean', help: 'mend what can be mended without loss' } },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const found = await client.call<WireSystemCheck>('POST', '/v1/system/check', { repair: flags.is('repair') })
    if (json) terminal.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
    else if (found.findings.length === 0) terminal.stdout.write('Records, kernel and disk agree.\n')
    else {
      const rows = found.findings.map(({ part, subject, problem, mended, advice }) => [
        part,
        subject,
        problem,
        mended ? 'mended' : advice,
      ])
      terminal.stdout.write(table(['PART', 'WHAT', 'PROBLEM', 'REMEDY'], rows))
    }
    return found.ok ? 0 : 1
  },
}
