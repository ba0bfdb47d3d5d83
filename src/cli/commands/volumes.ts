import type { WirePruned, WireVolume } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { ago, bytes } from '../format.ts'
import { table } from '../table.ts'
import { labelsOf } from './create-flags.ts'
import { inspecting, onEach } from './on-each.ts'

export const ls: Command = {
  names: ['volume ls', 'volume list'],
  summary: 'List volumes',
  usage: '',
  flags: {
    quiet: { type: 'boolean', short: 'q', help: 'print names only' },
    filter: {
      type: 'string',
      short: 'f',
      multiple: true,
      value: 'KEY=VALUE',
      help: 'show a part; keys: dangling, label, name, driver',
    },
  },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const query = new URLSearchParams(flags.list('filter').map((entry) => entry.split(/=(.*)/s).slice(0, 2)))
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

export const prune: Command = {
  names: ['volume prune'],
  summary: 'Remove volumes without a name that no container uses',
  usage: '',
  flags: {
    all: { type: 'boolean', short: 'a', help: 'also those with a name' },
    label: { type: 'string', short: 'l', multiple: true, value: 'K=V', help: 'only those with this label' },
    force: { type: 'boolean', short: 'f', help: 'for scripts that were written for docker: nothing is asked here' },
  },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const label = flags.list('label')
    const body = { all: flags.is('all'), ...(label.length > 0 && { label }) }
    const pruned = await client.call<WirePruned>('POST', '/v1/volumes/prune', body)
    if (json) terminal.stdout.write(`${JSON.stringify(pruned)}\n`)
    else {
      const removed = pruned.removed.map((name) => `volume: ${name} removed\n`).join('')
      terminal.stdout.write(`${removed}Total reclaimed space: ${bytes(pruned.reclaimedBytes)}\n`)
    }
  },
}

function pathOf(name: string): string {
  return `/v1/volumes/${encodeURIComponent(name)}`
}
