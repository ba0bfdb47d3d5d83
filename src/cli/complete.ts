import type { WireContainer, WireImage, WireNetwork, WireVolume } from '../api/raind/index.ts'
import type { Client } from './client.ts'
import { type Command, type FlagSpec, GLOBAL_FLAGS } from './command.ts'
import { nameOfImage } from './format.ts'

/** What the words of a usage text, and the values of flags, may be completed with. */
const SOURCES: Readonly<Record<string, (client: Client) => Promise<string[]>>> = {
  CONTAINER: async (client) =>
    ((await client.call<WireContainer[] | null>('GET', '/v1/containers')) ?? []).map(({ name }) => name),
  IMAGE: async (client) => ((await client.call<WireImage[] | null>('GET', '/v1/images')) ?? []).map(nameOfImage),
  EVENT_FILTER: async (client) => [
    ...['container', 'image', 'network', 'volume'].map((type) => `type=${type}`),
    ...(await SOURCES['CONTAINER']!(client)).map((name) => `container=${name}`),
    ...['event=', 'image=', 'network=', 'volume=', 'label='],
  ],
  RESTART_POLICY: async () => ['always', 'no', 'on-failure', 'unless-stopped'],
  SHELL: async () => ['bash', 'fish', 'zsh'],
  NETWORK: async (client) => (await client.call<WireNetwork[]>('GET', '/v1/networks')).map(({ Name }) => Name),
  VOLUME: async (client) => (await client.call<WireVolume[]>('GET', '/v1/volumes')).map(({ name }) => name),
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
  const { flag, args } = read(rest, specs)
  if (flag !== undefined) return await names(flag.value ?? '', client)
  if (command.flagsFirst === true && args.length > 0)
    return await names(placeholder(command.usage, args.length), client)
  if (last.startsWith('-')) return Object.keys(specs).map((name) => `--${name}`)
  const more = before.length === 1 ? nextWords(commands, before) : []
  return [...more, ...(await names(placeholder(command.usage, args.length), client))]
}

async function names(placeholder: string, client: () => Client): Promise<string[]> {
  try {
    return (await SOURCES[placeholder]?.(client())) ?? []
  } catch {
    return []
  }
}

/** By two words or one. */
function findCommand(commands: readonly Command[], words: readonly string[]) {
  for (const length of [2, 1]) {
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

/** The flag whose value comes next, if one does, and the arguments so far. */
function read(words: readonly string[], specs: Readonly<Record<string, FlagSpec>>) {
  const args: string[] = []
  let flag: FlagSpec | undefined
  for (const word of words) {
    if (flag !== undefined) flag = undefined
    else if (word.startsWith('-') && word !== '-') flag = wantsValue(word, specs)
    else args.push(word)
  }
  return { flag, args }
}

function wantsValue(word: string, specs: Readonly<Record<string, FlagSpec>>): FlagSpec | undefined {
  if (word.includes('=')) return undefined
  const spec = word.startsWith('--')
    ? specs[word.slice(2)]
    : Object.values(specs).find(({ short }) => short === word.at(-1))
  return spec?.type === 'string' ? spec : undefined
}

/** `NETWORK CONTAINER` at 1: CONTAINER; the last goes on where it ends with dots. Brackets mean that it may be absent. */
function placeholder(usage: string, index: number): string {
  const words = usage.split(' ').map((word) => word.replace(/^\[(.*)\]$/, '$1'))
  const word = words[index] ?? (words.at(-1)!.endsWith('...') ? words.at(-1)! : '')
  return word.replaceAll(/^\[|\]$|\.\.\.$/g, '')
}
