import type {
  WireBottle,
  WireBottleSummary,
  WireContainer,
  WireImage,
  WireNetwork,
  WireObject,
  WirePodObject,
  WireVolume,
} from '../api/raind/index.ts'
import { pathOf } from './bottle/target.ts'
import type { Client } from './client.ts'
import { type Command, type FlagSpec, GLOBAL_FLAGS, wantsNextWord } from './command.ts'
import { nameOfImage } from './format.ts'
import { KINDS, type Kind, parseKind, spellings } from './kube/kinds.ts'

/** What of the command line is there already. */
interface Line {
  readonly args: readonly string[]
  /** Values of flags, by their names. */
  readonly values: Readonly<Record<string, string>>
  /** The word that is to be completed. */
  readonly last: string
}

type Source = (client: Client, line: Line) => Promise<string[]>

const CONTAINER: Source = async (client) =>
  ((await client.call<WireContainer[] | null>('GET', '/v1/containers')) ?? []).map(({ name }) => name)

const KIND_NAMES = Object.keys(KINDS) as Kind[]

/** What the words of a usage text, and the values of flags, may be completed with. */
const SOURCES: Readonly<Record<string, Source>> = {
  CONTAINER,
  'CONTAINER|pod/POD': async (client, line) => [
    ...(await CONTAINER(client, line)),
    ...(await namesOf(client, 'Pod', line)).map((name) => `pod/${name}`),
  ],
  POD_CONTAINER: async (client, line) => {
    const name = line.args[0]?.split('/').at(-1)
    const pods = await objectsOf(client, 'Pod', line)
    const pod = pods.find(({ metadata }) => metadata.name === name) as WirePodObject | undefined
    return [...(pod?.spec.initContainers ?? []), ...(pod?.spec.containers ?? [])].map((container) => container.name)
  },
  BOTTLE: async (client) =>
    (await client.call<{ readonly bottles: readonly WireBottleSummary[] }>('GET', '/v1/bottle')).bottles.map(
      ({ bottleName }) => bottleName,
    ),
  BOTTLE_SERVICE: servicesOfBottle,
  'BOTTLE_SERVICE=N': async (client, line) => (await servicesOfBottle(client, line)).map((name) => `${name}=`),
  IMAGE: async (client) => ((await client.call<WireImage[] | null>('GET', '/v1/images')) ?? []).map(nameOfImage),
  EVENT_FILTER: async (client, line) => [
    ...['container', 'image', 'network', 'volume'].map((type) => `type=${type}`),
    ...(await CONTAINER(client, line)).map((name) => `container=${name}`),
    ...['event=', 'image=', 'network=', 'volume=', 'label='],
  ],
  RESTART_POLICY: async () => ['always', 'no', 'on-failure', 'unless-stopped'],
  SHELL: async () => ['bash', 'fish', 'zsh'],
  NETWORK: async (client) => (await client.call<WireNetwork[]>('GET', '/v1/networks')).map(({ Name }) => Name),
  VOLUME: async (client) => (await client.call<WireVolume[]>('GET', '/v1/volumes')).map(({ name }) => name),
  KIND: async (client, line) =>
    line.last.includes('/') ? await refsOf(client, line) : ['all', ...KIND_NAMES.flatMap(spellings)],
  NAME: async (client, line) =>
    line.args[0]?.includes('/') ? await refsOf(client, line) : await namesOf(client, parseKind(line.args[0]!), line),
  OUTPUT: async () => ['json', 'name', 'wide', 'yaml'],
  ...Object.fromEntries(
    KIND_NAMES.map((kind): [string, Source] => [kind.toUpperCase(), (client, line) => namesOf(client, kind, line)]),
  ),
}

/** Of the one that is named already. */
async function servicesOfBottle(client: Client, { args }: Line): Promise<string[]> {
  return Object.keys((await client.call<{ readonly bottle: WireBottle }>('GET', pathOf(args[0]!))).bottle.services)
}

async function objectsOf(client: Client, kind: Kind, { values }: Line): Promise<WireObject[]> {
  const query = KINDS[kind].namespaced ? `?namespace=${encodeURIComponent(values['namespace'] ?? 'default')}` : ''
  return (await client.call<WireObject[] | null>('GET', `/v1/objects/${kind}${query}`)) ?? []
}

async function namesOf(client: Client, kind: Kind, line: Line): Promise<string[]> {
  return (await objectsOf(client, kind, line)).map(({ metadata }) => metadata.name)
}

/** `pod/web`, with the kind as it was typed. */
async function refsOf(client: Client, line: Line): Promise<string[]> {
  const [word = ''] = line.last.split('/')
  return (await namesOf(client, parseKind(word), line)).map((name) => `${word}/${name}`)
}

/**
 * What the last of these words, which may be empty, can become; nothing where a file or anything else is wanted.
 * A daemon that does not answer leaves the names out.
 */
export async function complete(
  commands: readonly Command[],
  words: readonly string[],
  client: () => Client,
): Promise<string[]> {
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const candidates = await candidatesFor(commands, before, last, client)
  return [...new Set(candidates.filter((candidate) => candidate.startsWith(last)))].sort()
}

async function candidatesFor(
  commands: readonly Command[],
  before: readonly string[],
  last: string,
  client: () => Client,
): Promise<readonly string[]> {
  const found = findCommand(commands, before)
  if (found === undefined) return nextWords(commands, before)
  const { command, rest } = found
  const specs = { ...GLOBAL_FLAGS, ...command.flags }
  const { flag, args, values } = read(rest, specs)
  const offer = (placeholder: string) => candidates(placeholder, client, { args, values, last })
  if (flag !== undefined) return await offer(specs[flag]?.value ?? '')
  if (command.flagsFirst === true && args.length > 0) return await offer(placeholder(command.usage, args.length))
  if (last.startsWith('-')) return Object.keys(specs).map((name) => `--${name}`)
  const more = rest.length === 0 ? nextWords(commands, before) : []
  return [...more, ...(await offer(placeholder(command.usage, args.length)))]
}

async function candidates(placeholder: string, client: () => Client, line: Line): Promise<string[]> {
  try {
    return (await SOURCES[placeholder]?.(client(), line)) ?? []
  } catch {
    return []
  }
}

/** By up to three words. */
function findCommand(commands: readonly Command[], words: readonly string[]) {
  for (const length of [3, 2, 1]) {
    const name = words.slice(0, length).join(' ')
    const command = words.length >= length && commands.find(({ names }) => names.includes(name))
    if (command) return { command, rest: words.slice(length) }
  }
  return undefined
}

function nextWords(commands: readonly Command[], before: readonly string[]): string[] {
  return commands
    .flatMap(({ names }) => names.map((name) => name.split(' ')))
    .filter((words) => words.length > before.length && before.every((word, index) => word === words[index]))
    .map((words) => words[before.length]!)
}

/** The flag whose value comes next, if one does; the arguments and the values so far. */
function read(words: readonly string[], specs: Readonly<Record<string, FlagSpec>>) {
  const args: string[] = []
  const values: Record<string, string> = {}
  let flag: string | undefined
  for (const word of words) {
    if (flag !== undefined) {
      values[flag] = word
      flag = undefined
    } else if (word.startsWith('-') && word !== '-') {
      const [, name = '', value] = /^--([^=]+)=(.*)$/s.exec(word) ?? []
      if (value === undefined) flag = wantsValue(word, specs)
      else values[name] = value
    } else args.push(word)
  }
  return { flag, args, values }
}

function wantsValue(word: string, specs: Readonly<Record<string, FlagSpec>>): string | undefined {
  const found = Object.entries(specs).find(([name, { short }]) =>
    word.startsWith('--') ? name === word.slice(2) : short === word.at(-1),
  )
  return wantsNextWord(found?.[1]) ? found![0] : undefined
}

/** `NETWORK CONTAINER` at 1: CONTAINER; the last goes on where it ends with dots. Brackets mean that it may be absent. */
function placeholder(usage: string, index: number): string {
  const words = usage.split(' ').map((word) => word.replace(/^\[(.*)\]$/, '$1'))
  const word = words[index] ?? (words.at(-1)!.endsWith('...') ? words.at(-1)! : '')
  return word.replaceAll(/^\[|\]$|\.\.\.$/g, '')
}
