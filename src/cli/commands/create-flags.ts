import { readFileSync } from 'node:fs'
import type { CreateContainerBody } from '../../api/raind/index.ts'
import type { FlagSpec, Flags } from '../command.ts'
import { usageError } from '../errors.ts'

/** What `run` and `create` share: docker's spelling, of which the public CLI's flags are a part. */
export const CREATE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  name: { type: 'string', value: 'NAME', help: "the container's name (default: generated)" },
  network: { type: 'string', value: 'NETWORK', help: "the network to join (default: the daemon's bridge)" },
  publish: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: '[IP:]HOST:CTR[/PROTO]',
    help: 'publish a port; host port 0 takes a free one',
  },
  volume: { type: 'string', short: 'v', multiple: true, value: 'SRC:DST[:ro]', help: 'bind-mount a host path' },
  tmpfs: { type: 'string', multiple: true, value: 'DST[:OPTIONS]', help: 'mount a tmpfs' },
  env: { type: 'string', short: 'e', multiple: true, value: 'K=V', help: 'set a variable; K alone takes yours' },
  'env-file': { type: 'string', multiple: true, value: 'FILE', help: 'read variables from a file' },
  entrypoint: { type: 'string', value: 'PROGRAM', help: "replace the image's entrypoint" },
  user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'user to run as' },
  workdir: { type: 'string', short: 'w', value: 'DIR', help: 'working directory' },
  hostname: { type: 'string', value: 'NAME', help: "hostname (default: the container's id)" },
  label: { type: 'string', short: 'l', multiple: true, value: 'K=V', help: 'set a label' },
  memory: { type: 'string', short: 'm', value: 'BYTES', help: 'memory limit: 64m, 1g' },
  cpus: { type: 'string', value: 'N', help: 'CPU limit: 1.5' },
  'pids-limit': { type: 'string', value: 'N', help: 'limit of processes' },
  'cap-add': { type: 'string', multiple: true, value: 'CAP', help: 'add a capability' },
  'cap-drop': { type: 'string', multiple: true, value: 'CAP', help: 'drop a capability' },
  'read-only': { type: 'boolean', help: 'make the root filesystem read-only' },
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
    network: flags.text('network'),
    args: command.length > 0 ? command : undefined,
    entrypoint:
      flags.text('entrypoint') === undefined ? undefined : [flags.text('entrypoint')!].filter((word) => word !== ''),
    port: someOf(flags.list('publish')),
    mount: someOf(flags.list('volume')),
    tmpfs: someOf(flags.list('tmpfs')),
    env: someOf([...flags.list('env-file').flatMap(readEnvFile), ...flags.list('env').flatMap(inheritEnv)]),
    user: flags.text('user'),
    workdir: flags.text('workdir'),
    hostname: flags.text('hostname'),
    labels: labelsOf(flags.list('label')),
    memory: flags.text('memory'),
    cpus: flags.number('cpus'),
    pids: flags.number('pids-limit'),
    capAdd: someOf(flags.list('cap-add')),
    capDrop: someOf(flags.list('cap-drop')),
    readOnly: flags.is('read-only') || undefined,
    stopSignal: flags.text('stop-signal'),
    stopTimeout: flags.number('stop-timeout'),
    tty: flags.is('tty') || undefined,
    autoRemove: flags.is('rm') || undefined,
  }
  return JSON.parse(JSON.stringify(body)) as CreateContainerBody
}

function someOf(list: readonly string[]): string[] | undefined {
  return list.length > 0 ? [...list] : undefined
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

function labelsOf(entries: readonly string[]): Record<string, string> | undefined {
  if (entries.length === 0) return undefined
  return Object.fromEntries(
    entries.map((entry) => {
      const end = entry.indexOf('=')
      return end < 0 ? [entry, ''] : [entry.slice(0, end), entry.slice(end + 1)]
    }),
  )
}
