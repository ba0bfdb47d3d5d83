import type { WireNetwork } from '../../api/raind/index.ts'
import type { Command } from '../command.ts'
import { type FilterKeys, filterFlag, LABEL_FILTERS, readFilters } from '../filters.ts'
import { table } from '../table.ts'
import { labelsOf } from './create-flags.ts'
import { inspecting, onEach } from './on-each.ts'

const FILTERS: FilterKeys = { ...LABEL_FILTERS, name: 'name', dangling: 'dangling' }

export const ls: Command = {
  names: ['network ls', 'network list'],
  summary: 'List networks',
  usage: '',
  flags: {
    quiet: { type: 'boolean', short: 'q', help: 'print names only' },
    'no-trunc': { type: 'boolean', help: 'for scripts that were written for docker: nothing is cut here' },
    filter: filterFlag(FILTERS, 'f'),
  },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const query = new URLSearchParams(readFilters(flags, FILTERS))
    const networks = await client.call<WireNetwork[]>('GET', `/v1/networks?${query}`)
    if (json) terminal.stdout.write(`${JSON.stringify(networks, undefined, 2)}\n`)
    else if (flags.is('quiet')) terminal.stdout.write(networks.map(({ Name }) => `${Name}\n`).join(''))
    else {
      const rows = networks.map(({ Name, Interface, Subnet, Address, Subnet6, NumContainers }) => [
        Name,
        Interface,
        Subnet,
        Address.split('/')[0]!,
        Subnet6 ?? '-',
        String(NumContainers),
      ])
      terminal.stdout.write(table(['NAME', 'BRIDGE', 'SUBNET', 'GATEWAY', 'IPV6', 'CONTAINERS'], rows))
    }
  },
}

export const create: Command = {
  names: ['network create'],
  summary: 'Create a network',
  usage: 'NAME',
  flags: {
    subnet: { type: 'string', value: 'CIDR', help: "its addresses (default: a free part of the daemon's subnet)" },
    gateway: { type: 'string', value: 'ADDRESS', help: "the host's address in it" },
    ipv6: { type: 'boolean', help: "give it IPv6 too, from the daemon's own prefix" },
    subnet6: { type: 'string', value: 'CIDR', help: 'its IPv6 addresses' },
    gateway6: { type: 'string', value: 'ADDRESS', help: "the host's IPv6 address in it (default: the first)" },
    mtu: { type: 'string', value: 'BYTES', help: "size of its packets (default: that of the host's uplink)" },
    label: { type: 'string', short: 'l', multiple: true, value: 'K=V', help: 'set a label' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run({ client, terminal, args, flags, json }) {
    const data = await client.call('POST', '/v1/networks', {
      bridge: args[0],
      subnet: flags.text('subnet'),
      gateway: flags.text('gateway'),
      ipv6: flags.is('ipv6') || undefined,
      subnet6: flags.text('subnet6'),
      gateway6: flags.text('gateway6'),
      mtu: flags.number('mtu'),
      labels: labelsOf(flags.list('label')),
    })
    terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `network: ${args[0]} created\n`)
  },
}

export const rm = onEach({
  names: ['network rm', 'network remove'],
  summary: 'Remove networks',
  kind: 'network',
  done: 'removed',
  act: ({ client }, name) => client.call('DELETE', `${pathOf(name)}/actions/delete`),
})

export const inspect = inspecting(['network inspect'], 'network', (name) => `${pathOf(name)}/inspect`)

export const connect: Command = {
  names: ['network connect'],
  summary: 'Attach a container to one more network',
  usage: 'NETWORK CONTAINER',
  flags: {
    alias: { type: 'string', multiple: true, value: 'NAME', help: 'another name of it in that network' },
    ip: { type: 'string', value: 'ADDRESS', help: 'its address there' },
    ip6: { type: 'string', value: 'ADDRESS', help: 'its IPv6 address there' },
  },
  minArgs: 2,
  maxArgs: 2,
  async run({ client, terminal, args: [network, container], flags, json }) {
    const data = await client.call('POST', `${pathOf(network!)}/actions/connect`, {
      container,
      aliases: flags.list('alias').length > 0 ? flags.list('alias') : undefined,
      address: flags.text('ip'),
      address6: flags.text('ip6'),
    })
    terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `container: ${container} connected to ${network}\n`)
  },
}

export const disconnect: Command = {
  names: ['network disconnect'],
  summary: 'Detach a container from a network',
  usage: 'NETWORK CONTAINER',
  minArgs: 2,
  maxArgs: 2,
  async run({ client, terminal, args: [network, container], json }) {
    const data = await client.call('POST', `${pathOf(network!)}/actions/disconnect`, { container })
    terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `container: ${container} disconnected from ${network}\n`)
  },
}

function pathOf(network: string): string {
  return `/v1/networks/${encodeURIComponent(network)}`
}
