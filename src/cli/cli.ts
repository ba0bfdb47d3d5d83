import { didYouMean } from '../lib/did-you-mean.ts'
import { type Client, connect } from './client.ts'
import { type Command, type Flags, GLOBAL_FLAGS, parseCommandLine, type Terminal } from './command.ts'
import { attach } from './commands/attach.ts'
import * as bottles from './commands/bottles.ts'
import { check } from './commands/check.ts'
import { completion } from './commands/completion.ts'
import * as containers from './commands/containers.ts'
import { cp } from './commands/cp.ts'
import { events } from './commands/events.ts'
import { exec } from './commands/exec.ts'
import { exportContainer } from './commands/export.ts'
import * as imageNames from './commands/image-names.ts'
import * as images from './commands/images.ts'
import { login, logout } from './commands/login.ts'
import { logs } from './commands/logs.ts'
import * as networks from './commands/networks.ts'
import { objectNouns } from './commands/object-nouns.ts'
import * as objects from './commands/objects.ts'
import * as prune from './commands/prune.ts'
import { load, pull } from './commands/pull.ts'
import { push } from './commands/push.ts'
import { create, run } from './commands/run.ts'
import { save } from './commands/save.ts'
import { start } from './commands/start.ts'
import { stats } from './commands/stats.ts'
import * as system from './commands/system.ts'
import { top } from './commands/top.ts'
import * as volumes from './commands/volumes.ts'
import { complete } from './complete.ts'
import { findEndpoint } from './endpoint.ts'
import { CliError, usageError } from './errors.ts'
import { commandHelp, overview } from './help.ts'

const COMMANDS: readonly Command[] = [
  run,
  create,
  containers.ps,
  containers.ls,
  start,
  containers.stop,
  containers.restart,
  containers.kill,
  containers.pause,
  containers.unpause,
  containers.rename,
  containers.update,
  containers.wait,
  containers.rm,
  containers.inspect,
  prune.containerPrune,
  logs,
  stats,
  attach,
  exec,
  top,
  cp,
  exportContainer,
  pull,
  push,
  load,
  save,
  images.ls,
  images.rm,
  images.inspect,
  imageNames.tag,
  imageNames.history,
  prune.imagePrune,
  login,
  logout,
  networks.ls,
  networks.create,
  networks.rm,
  networks.inspect,
  networks.connect,
  networks.disconnect,
  prune.networkPrune,
  bottles.up,
  bottles.down,
  bottles.ls,
  bottles.ps,
  bottles.logs,
  bottles.show,
  bottles.create,
  bottles.start,
  bottles.stop,
  bottles.restart,
  bottles.scale,
  bottles.config,
  bottles.rm,
  volumes.ls,
  volumes.create,
  volumes.rm,
  volumes.inspect,
  prune.volumePrune,
  objects.apply,
  objects.diff,
  objects.get,
  objects.describe,
  objects.scale,
  objects.remove,
  ...objectNouns,
  events,
  completion,
  system.version,
  system.info,
  system.df,
  check,
  prune.systemPrune,
]

/** Runs one command line; resolves with the exit code. Errors go to stderr, as one line and a hint. */
export async function main(words: readonly string[], terminal: Terminal = process): Promise<number> {
  try {
    return await dispatch(words, terminal)
  } catch (thrown) {
    const error = isBrokenOff(thrown) ? new CliError('The connection to the daemon broke off in its answer') : thrown
    if (!(error instanceof CliError)) throw error
    terminal.stderr.write(`raind: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`)
    // A shell's loop ends only if it sees that its command was ended by the signal.
    if (error.signal !== undefined) process.removeAllListeners(error.signal).kill(process.pid, error.signal)
    return error.exitCode
  }
}

/** What node:http calls an answer that is not whole. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof Error && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET'
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  if (words[0] === '__complete') {
    const found = await complete(COMMANDS, words.slice(1), () => clientOf({ text: () => undefined }))
    terminal.stdout.write(found.map((candidate) => `${candidate}\n`).join(''))
    return 0
  }
  const leading = leadingFlags(words)
  if (leading >= words.length) {
    terminal.stdout.write(overview(COMMANDS))
    return words.length === 0 || words.includes('--help') || words.includes('-h') ? 0 : 125
  }
  const { command, rest } = findCommand(words.slice(leading))
  const { flags, args } = parseCommandLine(command, [...words.slice(0, leading), ...rest])
  if (flags.is('help')) {
    terminal.stdout.write(commandHelp(command))
    return 0
  }
  return (await command.run({ client: clientOf(flags), terminal, flags, args, json: flags.is('json') })) ?? 0
}

function clientOf(flags: Pick<Flags, 'text'>): Client {
  const [host, socket, cacert, cert, key] = ['host', 'socket', 'cacert', 'cert', 'key'].map((name) => flags.text(name))
  return connect(findEndpoint({ host, socket, cacert, cert, key, environment: process.env }))
}

/** How many words come before the command: flags of every command. */
function leadingFlags(words: readonly string[]): number {
  let count = 0
  while (words[count]?.startsWith('-')) count += GLOBAL_FLAGS[words[count]!.slice(2)]?.type === 'string' ? 2 : 1
  return count
}

/** By its words (`container ls`, `resource pod ls`) or its short form (`ps`). */
function findCommand(words: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const length of [3, 2, 1]) {
    const name = words.slice(0, length).join(' ')
    const command = COMMANDS.find(({ names }) => names.includes(name))
    if (command !== undefined) return { command, rest: words.slice(length) }
  }
  const known = COMMANDS.flatMap(({ names }) => names)
  const [first, both] = [words[0]!, words.slice(0, 2).join(' ')]
  const isGroup = known.some((name) => name.startsWith(`${first} `))
  const wrong = isGroup ? both : first
  const near = didYouMean(both, known) ?? didYouMean(wrong, known)
  throw usageError(
    `Unknown command "${wrong}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    'See: raind --help',
  )
}
