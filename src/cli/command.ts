import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../lib/did-you-mean.ts'
import type { Client } from './client.ts'
import { usageError } from './errors.ts'

export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
}

export interface Invocation {
  readonly client: Client
  readonly terminal: Terminal
  readonly flags: Flags
  readonly args: readonly string[]
  /** Print the data of the answer as JSON instead of text. */
  readonly json: boolean
}

/** Parsed flags, read by the kind they were declared with. */
export interface Flags {
  text(name: string): string | undefined
  list(name: string): readonly string[]
  is(name: string): boolean
  /** @throws {CliError} if the value is no number */
  number(name: string): number | undefined
}

export interface FlagSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** Placeholder of the value in the help: `PORT`. */
  readonly value?: string
  /** The value where the flag stands alone: another one is taken behind `=` only. */
  readonly implied?: string
  readonly help: string
}

/** One command: `raind container ls`. Commands are data; `main` finds, parses, runs them and prints their help. */
export interface Command {
  /** `container ls`; further names, such as the short form `ps`, do the same. */
  readonly names: readonly [string, ...string[]]
  readonly summary: string
  /** After the flags: `IMAGE [COMMAND...]`. */
  readonly usage: string
  readonly flags?: Readonly<Record<string, FlagSpec>>
  readonly minArgs?: number
  readonly maxArgs?: number
  /** Flags end at the first argument that is none: what follows belongs to the container's command. */
  readonly flagsFirst?: boolean
  /** With flagsFirst: flags may also follow the first argument if a `--` ends them, as kubectl's exec has it. */
  readonly flagsUntilDashes?: boolean
  /** Another spelling of a command: the overview is short enough without it. */
  readonly unlisted?: boolean
  /** Resolves with the exit code; none is 0. */
  run(invocation: Invocation): Promise<number | undefined> | Promise<void>
}

export const GLOBAL_FLAGS: Readonly<Record<string, FlagSpec>> = {
  json: { type: 'boolean', help: 'print the answer as JSON' },
  socket: {
    type: 'string',
    value: 'PATH',
    help: "the daemon's socket (default /run/condenser/condenser.sock, or $CONDENSER_SOCKET)",
  },
  host: {
    type: 'string',
    value: 'URL',
    help: 'the daemon over TLS, as in https://localhost:7755 (default $CONDENSER_HOST)',
  },
  cacert: { type: 'string', value: 'FILE', help: "with --host: the daemon's certificate (/etc/raind/cert/raind.crt)" },
  cert: { type: 'string', value: 'FILE', help: 'with --host: your certificate (/etc/raind/cert/raindClient.crt)' },
  key: { type: 'string', value: 'FILE', help: 'with --host: its key (/etc/raind/cert/raindClient.key)' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
}

/** @throws {CliError} for an unknown flag, a missing value, too few or too many arguments */
export function parseCommandLine(
  command: Command,
  words: readonly string[],
): { flags: Flags; args: readonly string[] } {
  const specs = { ...GLOBAL_FLAGS, ...command.flags }
  const own = command.flagsFirst ? words.slice(0, ownWordsEnd(command, words, specs)) : words
  const rest = words.slice(own.length)
  const { values, positionals } = parse(command, own, specs)
  const args = [...positionals, ...(rest[0] === '--' ? rest.slice(1) : rest)]
  const flags = readFlags(values)
  if (!flags.is('help')) checkArgCount(command, args)
  return { flags, args }
}

function parse(command: Command, words: readonly string[], specs: Readonly<Record<string, FlagSpec>>) {
  const options: ParseArgsOptionsConfig = {}
  for (const [name, { type, short, multiple }] of Object.entries(specs)) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple ? { multiple } : {}) }
  }
  try {
    const args = joinNegativeNumbers(fillImplied(words, specs), specs)
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    throw usageError(flagProblem(error as Error, words, specs), `See: raind ${command.names[0]} --help`)
  }
}

function flagProblem(error: Error, words: readonly string[], specs: Readonly<Record<string, FlagSpec>>): string {
  const unknown = /Unknown option '(-[^']*)'/.exec(error.message)?.[1]
  if (unknown === undefined) return error.message.split('.')[0]!
  const near = didYouMean(unknown.replace(/^-+/, ''), Object.keys(specs))
  return `Unknown flag ${words.find((word) => word.startsWith(unknown)) ?? unknown}${near ? `; did you mean --${near}?` : ''}`
}

/** Where what belongs to the container's command begins. */
function ownWordsEnd(
  { flagsUntilDashes }: Command,
  words: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): number {
  const end = flagsEnd(words, specs)
  const dashes = flagsUntilDashes && words[end + 1]?.startsWith('-') ? words.indexOf('--', end + 1) : -1
  return dashes < 0 ? end : dashes
}

/** Index of the first word that is neither a flag nor a flag's value. */
function flagsEnd(words: readonly string[], specs: Readonly<Record<string, FlagSpec>>): number {
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (word === '--' || !word.startsWith('-') || word === '-') return index
    if (word.includes('=')) continue
    if (takesValue(word, specs)) index++
  }
  return words.length
}

function takesValue(word: string, specs: Readonly<Record<string, FlagSpec>>): boolean {
  if (word.startsWith('--')) return wantsNextWord(specs[word.slice(2)])
  // A cluster such as -itp: only its last letter may want the next word; -p8080:80 has its value with it.
  for (let index = 1; index < word.length; index++) {
    const spec = Object.values(specs).find(({ short }) => short === word[index])
    if (spec?.type === 'string') return index === word.length - 1
  }
  return false
}

export function wantsNextWord(spec: FlagSpec | undefined): boolean {
  return spec?.type === 'string' && spec.implied === undefined
}

function fillImplied(words: readonly string[], specs: Readonly<Record<string, FlagSpec>>): string[] {
  const end = words.indexOf('--')
  return words.map((word, index) => {
    const implied = word.startsWith('--') && (end < 0 || index < end) ? specs[word.slice(2)]?.implied : undefined
    return implied === undefined ? word : `${word}=${implied}`
  })
}

/** parseArgs takes the `-1` of `--memory-swap -1` for another flag. */
function joinNegativeNumbers(words: readonly string[], specs: Readonly<Record<string, FlagSpec>>): string[] {
  const joined: string[] = []
  for (const word of words) {
    const flag = joined.at(-1) ?? ''
    if (/^-\d/.test(word) && flag.startsWith('--') && takesValue(flag, specs))
      joined[joined.length - 1] = `${flag}=${word}`
    else joined.push(word)
  }
  return joined
}

function readFlags(values: Record<string, unknown>): Flags {
  const text = (name: string) => values[name] as string | undefined
  return {
    text,
    list: (name) => (values[name] as string[] | undefined) ?? [],
    is: (name) => values[name] === true,
    number(name) {
      const value = text(name)
      if (value === undefined) return undefined
      if (value.trim() === '' || !Number.isFinite(Number(value)))
        throw usageError(`--${name} wants a number, not "${value}"`)
      return Number(value)
    },
  }
}

function checkArgCount(command: Command, args: readonly string[]): void {
  const { minArgs = 0, maxArgs = Number.POSITIVE_INFINITY, names, usage } = command
  const hint = `Usage: raind ${names[0]} [FLAGS] ${usage}`
  if (args.length < minArgs)
    throw usageError(`"raind ${names[0]}" wants ${minArgs === 1 ? 'an argument' : `${minArgs} arguments`}`, hint)
  if (args.length > maxArgs) throw usageError(`"raind ${names[0]}" takes no argument "${args[maxArgs]}"`, hint)
}
