import type { WireVolume } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { type FilterKeys, filterFlag, LABEL_FILTERS, readFilters } from '../filters.ts'
import { ago } from '../format.ts'
import { table } from '../table.ts'
import { labelsOf } from './create-flags.ts'
import { inspecting, onEach } from './on-each.ts'

const FILTERS: FilterKeys = { ...LABEL_FILTERS, dangling: 'dangling', name: 'name', driver: 'driver' }

export const ls: Command = {
  names: ['volume ls', 'volume list'],
  summary: 'List volumes',
  usage: '',
  flags: {
    quiet: { type: 'boolean', short: 'q', help: 'print names only' },
    filter: filterFlag(FILTERS, 'f'),
  },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const query = new URLSearchParams(readFilters(flags, FILTERS))
    const volumes = await client.call<WireVolume[]>('GET', `/v1/volumes?${query}`)
    if (json) terminal.stdout.write(`${JSON.stringify(volumes, undefined, 2)}\n`)
    else if (flags.is('quiet')) terminal.stdout.write(volumes.map(({ name }) => `${name}\n`).join(''))
    else {
      const rows = volumes.map(({ driver, name, createdAt, containers }) => [
        driver,
        name,
        ago(Date.parse(createdAt)),
        (containers ?? []).join(', '),
      ])
      terminal.stdout.write(table(['DRIVER', 'VOLUME NAME', 'CREATED', 'CONTAINERS'], rows))
    }
  },
}

export const create: Command = {
  names: ['volume create'],
  summary: 'Create a volume, unless there is one of that name',
  usage: '[NAME]',
  flags: { label: { type: 'string', short: 'l', multiple: true, value: 'K=V', help: 'set a label' } },
  maxArgs: 1,
  async run({ client, terminal, args, flags, json }) {
    const volume = await client.call<WireVolume>('POST', '/v1/volumes', {
      name: args[0],
      labels: labelsOf(flags.list('label')),
    })
    terminal.stdout.write(json ? `${JSON.stringify(volume)}\n` : `${volume.name}\n`)
  },
}

export const rm = onEach({
  names: ['volume rm', 'volume remove'],
  summary: 'Remove volumes that no container uses',
  kind: 'volume',
  done: 'removed',
  act: ({ client }, name) => client.call('DELETE', pathOf(name)),
})

export const inspect = inspecting(['volume inspect'], 'volume', pathOf)

function pathOf(name: string): string {
  return `/v1/volumes/${encodeURIComponent(name)}`
}
