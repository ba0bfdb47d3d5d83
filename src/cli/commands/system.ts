import type { WireDiskUsage, WireSpace, WireSystemInfo, WireVersion } from '../../api/raind/index.ts'
import { version as clientVersion } from '../../lib/version.ts'
import type { Command } from '../command.ts'
import { CliError } from '../errors.ts'
import { bytes, duration, shortRepository } from '../format.ts'
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

export const info: Command = {
  names: ['system info', 'info'],
  summary: 'Print what the daemon, its host and its store are like',
  usage: '',
  maxArgs: 0,
  async run({ client, terminal, json }) {
    const found = await client.call<WireSystemInfo>('GET', '/v1/system/info')
    if (json) terminal.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
    else {
      const lines = infoLines(found)
      const width = Math.max(...lines.map(([name]) => name.length)) + 1
      terminal.stdout.write(lines.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${value}\n`).join(''))
    }
    if (!json) for (const warning of found.warnings) terminal.stderr.write(`WARNING: ${warning}\n`)
  },
}

function infoLines(info: WireSystemInfo): [string, string][] {
  const { host, containers, images, network, store } = info
  const { total, ...states } = containers
  const counts = Object.entries(states).map(([state, count]) => `${count} ${state}`)
  return [
    ['Version', `${info.version} (Node ${info.node}), process ${info.pid}, up ${duration(info.uptimeMs)}`],
    ['Containers', `${total}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`],
    ['Images', `${images.total}${images.untagged === 0 ? '' : `, ${images.untagged} of them without a tag`}`],
    ['Networks', `${info.networks}; default ${network.default} (${network.subnet}), pool ${network.pool}`],
    ['DNS', network.dns ? 'at the gateways' : 'off'],
    ...info.runtimes.map(({ name, path, version, used, why }): [string, string] => [
      `Runtime ${name}`,
      `${path === '' ? '' : `${version}, ${path}, `}${used ? 'used' : 'not used'}: ${why}`,
    ]),
    ['Host', `${host.name}: ${host.os}, Linux ${host.kernel}, ${host.architecture}`],
    ['Processors', String(host.cpus)],
    ['Memory', bytes(host.memoryBytes)],
    ['Cgroups', host.cgroups],
    ['AppArmor', host.apparmor || 'none'],
    ['Root', `${info.root}; ${bytes(store.freeBytes)} of ${bytes(store.totalBytes)} free`],
    ['Run', info.run],
    ['Store', `${store.file}, ${bytes(store.sizeBytes)}`],
    ['Socket', info.socket],
    ['TLS', info.listen || 'off'],
    ['Log level', info.logLevel],
  ]
}

export const df: Command = {
  names: ['system df'],
  summary: 'Show what images, containers, volumes and logs take on disk',
  usage: '',
  flags: { verbose: { type: 'boolean', short: 'v', help: 'each image and each container' } },
  maxArgs: 0,
  async run({ client, terminal, flags, json }) {
    const usage = await client.call<WireDiskUsage>('GET', '/v1/system/df')
    if (json) terminal.stdout.write(`${JSON.stringify(usage, undefined, 2)}\n`)
    else {
      const rows = [
        spaceRow('Images', usage.images),
        spaceRow('Containers', usage.containers),
        spaceRow('Volumes', usage.volumes),
        spaceRow('Blobs', usage.blobs),
        spaceRow('Logs', usage.logs),
      ]
      terminal.stdout.write(table(['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'], rows))
      if (flags.is('verbose')) terminal.stdout.write(details(usage))
    }
  },
}

function spaceRow(name: string, { total, active, sizeBytes, reclaimableBytes }: WireSpace): string[] {
  const share = sizeBytes === 0 ? '' : ` (${Math.round((reclaimableBytes / sizeBytes) * 100)}%)`
  return [name, String(total), String(active), bytes(sizeBytes), `${bytes(reclaimableBytes)}${share}`]
}

function details({ images, containers, volumes }: WireDiskUsage): string {
  const imageRows = images.items.map(({ id, repository, reference, sizeBytes, inUse }) => [
    shortRepository(repository),
    reference.includes(':') ? '<none>' : reference,
    id.slice('sha256:'.length, 'sha256:'.length + 12),
    bytes(sizeBytes),
    inUse ? 'yes' : 'no',
  ])
  const containerRows = containers.items.map(({ containerId, name, state, sizeBytes, logBytes }) => [
    containerId,
    name,
    state,
    bytes(sizeBytes),
    bytes(logBytes),
  ])
  const volumeRows = volumes.items.map(({ name, sizeBytes, containers }) => [
    name,
    String(containers),
    bytes(sizeBytes),
  ])
  return [
    '\nImages, with what they share:\n',
    table(['REPOSITORY', 'TAG', 'IMAGE ID', 'SIZE', 'IN USE'], imageRows),
    '\nContainers:\n',
    table(['CONTAINER ID', 'NAME', 'STATUS', 'SIZE', 'LOG'], containerRows),
    '\nVolumes:\n',
    table(['NAME', 'CONTAINERS', 'SIZE'], volumeRows),
  ].join('')
}
