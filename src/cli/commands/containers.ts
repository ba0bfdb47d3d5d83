import type { WireContainer, WireExit } from '../../api/raind/index.ts'
import type { Command, FlagSpec, Flags, Invocation } from '../command.ts'
import { type FilterKeys, filterFlag, LABEL_FILTERS, readFilters } from '../filters.ts'
import { ago, shortCommand, shortRepository } from '../format.ts'
import { table } from '../table.ts'
import { inspecting, onEach } from './on-each.ts'
import { RESOURCE_FLAGS, RESTART_FLAG, resourcesBody } from './option-flags.ts'

/** docker's words, and what /v1 calls them. */
const STATES: Readonly<Record<string, string>> = { exited: 'stopped', dead: 'removing' }
const toState = (value: string): [string, string] => ['state', STATES[value] ?? value]
const FILTERS: FilterKeys = {
  ...LABEL_FILTERS,
  id: 'id',
  name: 'name',
  status: toState,
  state: toState,
  ancestor: 'image',
  image: 'image',
  network: 'network',
  exited: 'exitCode',
}

/** As the public CLI: all of them. */
export const ls = listing(['container ls', 'container list'], 'List containers', { allByDefault: true })
/** As docker: those that run, unless asked for all. */
export const ps = listing(['ps', 'container ps'], 'List running containers', { allByDefault: false })

function listing(names: Command['names'], summary: string, { allByDefault }: { allByDefault: boolean }): Command {
  return {
    names,
    summary,
    usage: '',
    flags: {
      all: { type: 'boolean', short: 'a', help: 'also those that do not run' },
      quiet: { type: 'boolean', short: 'q', help: 'print ids only' },
      'no-trunc': { type: 'boolean', help: 'show commands in full' },
      filter: filterFlag(FILTERS, 'f'),
    },
    maxArgs: 0,
    async run({ client, terminal, flags, json }) {
      const query = new URLSearchParams(readFilters(flags, FILTERS))
      if (!allByDefault && !flags.is('all') && !query.has('state') && !query.has('exitCode')) query.set('all', 'false')
      const containers = (await client.call<WireContainer[] | null>('GET', `/v1/containers?${query}`)) ?? []
      if (json) terminal.stdout.write(`${JSON.stringify(containers, undefined, 2)}\n`)
      else if (flags.is('quiet'))
        terminal.stdout.write(containers.map(({ containerId }) => `${containerId}\n`).join(''))
      else terminal.stdout.write(containerTable(containers, flags.is('no-trunc')))
    },
  }
}

/** The public CLI's columns (contract 10.2). */
function containerTable(containers: readonly WireContainer[], inFull: boolean): string {
  const header = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAME']
  const rows = containers.map((container) => [
    container.containerId,
    `${shortRepository(container.imageRepository)}:${container.imageReference}`,
    inFull ? `"${(container.command ?? []).join(' ')}"` : shortCommand(container.command),
    ago(Date.parse(container.createdAt)),
    container.health === undefined ? container.state : `${container.state} (${container.health})`,
    (container.forwards ?? [])
      .map(({ source, destination, protocol, hostIp }) => `${bracketed(hostIp)}:${source}->${destination}/${protocol}`)
      .join(', '),
    container.name,
  ])
  return table(header, rows)
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

const STOP_TIME: FlagSpec = { type: 'string', short: 't', value: 'SECONDS', help: 'time until SIGKILL (default 10)' }

function timeoutQuery(flags: Flags): string {
  const timeout = flags.number('time')
  return timeout === undefined ? '' : `?timeout=${timeout}`
}

export const stop = onEachContainer(
  ['container stop', 'stop'],
  'Stop containers: their stop signal, then SIGKILL',
  'stopped',
  ({ client, flags }, path) => client.call('POST', `${path}/actions/stop${timeoutQuery(flags)}`),
  { time: STOP_TIME },
)

export const restart = onEachContainer(
  ['container restart', 'restart'],
  'Stop containers if they run, and start them',
  'restarted',
  ({ client, flags }, path) => client.call('POST', `${path}/actions/restart${timeoutQuery(flags)}`),
  { time: STOP_TIME },
)

export const pause = onEachContainer(
  ['container pause', 'pause'],
  'Freeze all processes of containers',
  'paused',
  ({ client }, path) => client.call('POST', `${path}/actions/pause`),
)

export const unpause = onEachContainer(
  ['container unpause', 'unpause'],
  'Let paused containers go on',
  'unpaused',
  ({ client }, path) => client.call('POST', `${path}/actions/unpause`),
)

export const update = onEachContainer(
  ['container update', 'update'],
  'Change limits and restart policies of containers, also while they run',
  'updated',
  ({ client, flags }, path) =>
    client.call('POST', `${path}/actions/update`, { ...resourcesBody(flags), restart: flags.text('restart') }),
  { ...RESOURCE_FLAGS, restart: RESTART_FLAG },
)

export const rename: Command = {
  names: ['container rename', 'rename'],
  summary: 'Give a container another name',
  usage: 'CONTAINER NAME',
  minArgs: 2,
  maxArgs: 2,
  async run({ client, terminal, args, json }) {
    const [ref, name] = args
    const data = await client.call('POST', `${pathOf(ref!)}/actions/rename`, { name })
    terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `container: ${name} renamed\n`)
  },
}

export const kill = onEachContainer(
  ['container kill', 'kill'],
  'Send a signal to containers',
  'killed',
  ({ client, flags }, path) => client.call('POST', `${path}/actions/kill`, { signal: flags.text('signal') ?? 'KILL' }),
  { signal: { type: 'string', short: 's', value: 'SIGNAL', help: 'signal (default KILL)' } },
)

export const rm = onEachContainer(
  ['container rm', 'rm'],
  'Remove containers',
  'removed',
  ({ client, flags }, path) =>
    client.call('DELETE', `${path}/actions/delete?force=${flags.is('force')}&volumes=${flags.is('volumes')}`),
  {
    force: { type: 'boolean', short: 'f', help: 'also if it runs' },
    volumes: { type: 'boolean', short: 'v', help: 'with the volumes that were made for it without a name' },
  },
)

export const wait: Command = {
  names: ['container wait', 'wait'],
  summary: 'Wait until containers have ended; print their exit codes',
  usage: 'CONTAINER...',
  minArgs: 1,
  async run({ client, terminal, args, json }) {
    for (const ref of args) {
      const exit = await client.call<WireExit>('POST', `${pathOf(ref)}/actions/wait`)
      terminal.stdout.write(json ? `${JSON.stringify(exit)}\n` : `${exit.exitCode}\n`)
    }
  },
}

export const inspect = inspecting(['container inspect', 'inspect'], 'container', (ref) => `${pathOf(ref)}/inspect`)

/** One verb of the API on each container named. */
function onEachContainer(
  names: Command['names'],
  summary: string,
  done: string,
  act: (invocation: Invocation, path: string) => Promise<unknown>,
  flags: Readonly<Record<string, FlagSpec>> = {},
): Command {
  return onEach({
    names,
    summary,
    kind: 'container',
    done,
    flags,
    act: (invocation, ref) => act(invocation, pathOf(ref)),
  })
}

function pathOf(ref: string): string {
  return `/v1/containers/${encodeURIComponent(ref)}`
}
