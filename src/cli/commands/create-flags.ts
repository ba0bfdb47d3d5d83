import { readFileSync } from 'node:fs'
import type { CreateContainerBody } from '../../api/raind/index.ts'
import type { FlagSpec, Flags } from '../command.ts'
import { usageError } from '../errors.ts'
import { OPTION_FLAGS, optionsBody, RESOURCE_FLAGS, resourcesBody, someOf } from './option-flags.ts'

/** What `run` and `create` share: docker's spelling, of which the public CLI's flags are a part. */
export const CREATE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  name: { type: 'string', value: 'NAME', help: "the container's name (default: generated)" },
  network: {
    type: 'string',
    multiple: true,
    value: 'NETWORK',
    help: "a network to join (default: the daemon's), host or none; or name=..,alias=..,ip=..,ip6=..",
  },
  'network-alias': { type: 'string', multiple: true, value: 'NAME', help: 'another name of it in its first network' },
  ip: { type: 'string', value: 'ADDRESS', help: 'its address in its first network' },
  ip6: { type: 'string', value: 'ADDRESS', help: 'its IPv6 address in its first network' },
  publish: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: '[IP:]HOST:CTR[/PROTO]',
    help: 'publish a port; host port 0 takes a free one',
  },
  volume: {
    type: 'string',
    short: 'v',
    multiple: true,
    value: '[SRC:]DST[:ro]',
    help: 'mount a host path, or a volume by its name; also nocopy, rshared, rslave ...',
  },
  'volumes-from': {
    type: 'string',
    multiple: true,
    value: 'CONTAINER',
    help: 'all mounts of another; also CONTAINER:ro',
  },
  tmpfs: { type: 'string', multiple: true, value: 'DST[:OPTIONS]', help: 'mount a tmpfs' },
  env: { type: 'string', short: 'e', multiple: true, value: 'K=V', help: 'set a variable; K alone takes yours' },
  'env-file': { type: 'string', multiple: true, value: 'FILE', help: 'read variables from a file' },
  entrypoint: { type: 'string', value: 'PROGRAM', help: "replace the image's entrypoint" },
  user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'user to run as' },
  workdir: { type: 'string', short: 'w', value: 'DIR', help: 'working directory' },
  hostname: { type: 'string', value: 'NAME', help: "hostname (default: the container's id)" },
  label: { type: 'string', short: 'l', multiple: true, value: 'K=V', help: 'set a label' },
  ...RESOURCE_FLAGS,
  'cap-add': { type: 'string', multiple: true, value: 'CAP', help: 'add a capability' },
  'cap-drop': { type: 'string', multiple: true, value: 'CAP', help: 'drop a capability' },
  'read-only': { type: 'boolean', help: 'make the root filesystem read-only' },
  ...OPTION_FLAGS,
  'stop-signal': { type: 'string', value: 'SIGNAL', help: 'signal that asks it to stop' },
  'stop-timeout': { type: 'string', value: 'SECONDS', help: 'time from that signal to SIGKILL' },
  tty: { type: 'boolean', short: 't', help: 'give it a terminal' },
  interactive: { type: 'boolean', short: 'i', help: 'keep its stdin open' },
  rm: { type: 'boolean', help: 'remove it when it has ended' },
}

/** The request of `run` and `create`; what was not given is left to the daemon. */
export function createBody(flags: Flags, [image, ...command]: readonly string[]): CreateContainerBody {
  const body = {
    image: image!,
    name: flags.text('name'),
    networks: networksOf(flags),
    args: command.length > 0 ? command : undefined,
    entrypoint:
      flags.text('entrypoint') === undefined ? undefined : [flags.text('entrypoint')!].filter((word) => word !== ''),
    port: someOf(flags.list('publish')),
    mount: someOf(flags.list('volume')),
    volumesFrom: someOf(flags.list('volumes-from')),
    tmpfs: someOf(flags.list('tmpfs')),
    env: someOf([...flags.list('env-file').flatMap(readEnvFile), ...flags.list('env').flatMap(inheritEnv)]),
    user: flags.text('user'),
    workdir: flags.text('workdir'),
    hostname: flags.text('hostname'),
    labels: labelsOf(flags.list('label')),
    ...resourcesBody(flags),
    capAdd: someOf(flags.list('cap-add')),
    capDrop: someOf(flags.list('cap-drop')),
    readOnly: flags.is('read-only') || undefined,
    ...optionsBody(flags),
    stopSignal: flags.text('stop-signal'),
    stopTimeout: flags.number('stop-timeout'),
    tty: flags.is('tty') || undefined,
    openStdin: flags.is('interactive') || undefined,
    stdinOnce: (flags.is('interactive') && !flags.is('detach')) || undefined,
    autoRemove: flags.is('rm') || undefined,
  }
  return JSON.parse(JSON.stringify(body)) as CreateContainerBody
}

/** docker's long form is `name=NET,alias=A,ip=1.2.3.4,ip6=fd00::1`. */
function networksOf(flags: Flags): CreateContainerBody['networks'] {
  const [first, ...rest] = flags.list('network').map(parseNetwork)
  const [aliases, address, address6] = [flags.list('network-alias'), flags.text('ip'), flags.text('ip6')]
  if (first === undefined && aliases.length === 0 && (address ?? address6) === undefined) return undefined
  if (first === undefined) throw usageError('--network-alias, --ip and --ip6 need a --network')
  const main = {
    ...first,
    aliases: someOf([...(first.aliases ?? []), ...aliases]),
    address: address ?? first.address,
    address6: address6 ?? first.address6,
  }
  return [main, ...rest] as CreateContainerBody['networks']
}

interface AttachFlag {
  network: string
  aliases?: string[]
  address?: string
  address6?: string
}

function parseNetwork(text: string): AttachFlag {
  if (!text.includes('=')) return { network: text }
  const found: AttachFlag = { network: '' }
  for (const part of text.split(',')) {
    const [key, value = ''] = part.split(/=(.*)/s)
    if (key === 'name') found.network = value
    else if (key === 'alias') found.aliases = [...(found.aliases ?? []), value]
    else if (key === 'ip') found.address = value
    else if (key === 'ip6') found.address6 = value
    else throw usageError(`--network does not know "${key}": it has name, alias, ip and ip6`)
  }
  return found
}

/** `K` alone takes the value of the caller's own environment, and is nothing if there is none (docker run -e). */
function inheritEnv(entry: string): string[] {
  if (entry.includes('=')) return [entry]
  const value = process.env[entry]
  return value === undefined ? [] : [`${entry}=${value}`]
}

function readEnvFile(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .flatMap(inheritEnv)
  } catch (error) {
    throw usageError(`Cannot read --env-file ${file}: ${(error as Error).message}`)
  }
}

export function labelsOf(entries: readonly string[]): Record<string, string> | undefined {
  if (entries.length === 0) return undefined
  return Object.fromEntries(
    entries.map((entry) => {
      const end = entry.indexOf('=')
      return end < 0 ? [entry, ''] : [entry.slice(0, end), entry.slice(end + 1)]
    }),
  )
}
