import type { WireBottle, WireBottleSummary } from '../../api/raind/index.ts'
import type { Invocation } from '../command.ts'
import { ago } from '../format.ts'
import { table } from '../table.ts'
import { bottleOf, pathOf } from './target.ts'

export async function listBottles({ client, terminal, flags, json }: Invocation): Promise<void> {
  const { bottles } = await client.call<{ readonly bottles: readonly WireBottleSummary[] }>('GET', '/v1/bottle')
  if (json) terminal.stdout.write(`${JSON.stringify(bottles, undefined, 2)}\n`)
  else if (flags.is('quiet')) terminal.stdout.write(bottles.map(({ bottleId }) => `${bottleId}\n`).join(''))
  else {
    const rows = bottles.map((one) => [one.bottleId, one.bottleName, String(one.serviceCount), one.status])
    terminal.stdout.write(table(['BOTTLE ID', 'BOTTLE NAME', 'SERVICES', 'STATUS'], rows))
  }
}

export async function listMembers(invocation: Invocation): Promise<void> {
  const { client, terminal, json } = invocation
  const { bottle } = await fetchBottle(client, await bottleOf(invocation))
  terminal.stdout.write(json ? `${JSON.stringify(bottle.members, undefined, 2)}\n` : memberTable(bottle))
}

export async function showBottle(invocation: Invocation): Promise<void> {
  const { client, terminal, json } = invocation
  const { bottle } = await fetchBottle(client, await bottleOf(invocation))
  if (json) {
    terminal.stdout.write(`${JSON.stringify(bottle, undefined, 2)}\n`)
    return
  }
  const head = [
    ['id', bottle.bottleId],
    ['name', bottle.bottleName],
    ['status', bottle.status],
    ['created', ago(Date.parse(bottle.createdAt))],
    ['start order', bottle.startOrder.join(', ')],
    ...(bottle.network === undefined ? [] : [['network', bottle.network]]),
  ]
  const services = Object.entries(bottle.services).map(([name, own]) => [
    name,
    own.image,
    String(own.replicas),
    (own.ports ?? []).join(', '),
    (own.dependsOn ?? []).join(', '),
    (own.command ?? []).join(' '),
  ])
  const policies = (bottle.policies ?? []).map((own) => [
    own.id,
    own.type,
    own.source,
    own.destination,
    own.protocol ?? '',
    own.destPort === undefined ? '' : String(own.destPort),
    own.comment ?? '',
  ])
  const parts = [
    head.map(([key, value]) => `${`${key}:`.padEnd(13)}${value}\n`).join(''),
    memberTable(bottle),
    table(['SERVICE', 'IMAGE', 'REPLICAS', 'PORTS', 'DEPENDS ON', 'COMMAND'], services),
    ...(policies.length === 0
      ? []
      : [table(['ID', 'TYPE', 'SOURCE', 'DESTINATION', 'PROTOCOL', 'DPORT', 'COMMENT'], policies)]),
  ]
  terminal.stdout.write(parts.join('\n'))
}

async function fetchBottle(client: Invocation['client'], name: string): Promise<{ readonly bottle: WireBottle }> {
  return await client.call('GET', pathOf(name))
}

function memberTable({ members }: WireBottle): string {
  const rows = members.map(({ service, container }) => [
    container.containerId,
    container.name,
    service,
    container.health === undefined ? container.state : `${container.state} (${container.health})`,
    container.address,
    (container.forwards ?? [])
      .map(({ source, destination, protocol }) => `${source}->${destination}/${protocol}`)
      .join(', '),
  ])
  return table(['CONTAINER ID', 'NAME', 'SERVICE', 'STATUS', 'ADDRESS', 'PORTS'], rows)
}
