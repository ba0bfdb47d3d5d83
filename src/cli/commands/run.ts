import type { WireInspect } from '../../api/raind/index.ts'
import type { Client } from '../client.ts'
import type { Command, Invocation } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { catchInterruption } from '../interruption.ts'
import { attachTo } from './attach.ts'
import { CREATE_FLAGS, createBody } from './create-flags.ts'
import { DETACH_FLAG, detachKeysOf } from './live-flags.ts'
import { ensureImage } from './pull.ts'

export const create: Command = {
  names: ['container create', 'create'],
  summary: 'Create a container without starting it',
  usage: 'IMAGE [ARGS...]',
  flags: CREATE_FLAGS,
  minArgs: 1,
  flagsFirst: true,
  async run(invocation) {
    await ensureImage(invocation, invocation.args[0]!)
    using interruption = catchInterruption()
    const id = await createOne(invocation)
    await undoIfAborted(interruption.signal, invocation.client, `/v1/containers/${id}`)
    print(invocation, { id }, `container: ${id} created`)
  },
}

export const run: Command = {
  names: ['container run', 'run'],
  summary: 'Create and start a container',
  usage: 'IMAGE [ARGS...]',
  flags: {
    ...CREATE_FLAGS,
    detach: { type: 'boolean', short: 'd', help: 'do not wait for its end' },
    ...DETACH_FLAG,
  },
  minArgs: 1,
  flagsFirst: true,
  async run(invocation) {
    const { client, terminal, flags, args } = invocation
    const detachKeys = detachKeysOf(flags)
    await ensureImage(invocation, args[0]!)
    using interruption = catchInterruption()
    const id = await createOne(invocation)
    const path = `/v1/containers/${id}`
    const onOpen = async () => {
      await undoIfAborted(interruption.signal, client, path)
      await start(client, path, flags.is('rm'))
    }
    if (flags.is('detach')) {
      await onOpen()
      await undoIfAborted(interruption.signal, client, path)
      print(invocation, { id }, `container: ${id} started`)
      return 0
    }
    const [tty, stdin] = [flags.is('tty'), flags.is('interactive')]
    const exitCode = await attachTo({ client, terminal, detachKeys, path, query: '&wait=true', tty, stdin, onOpen })
    if (flags.is('rm')) await removed(client, path)
    return exitCode
  },
}

/** @throws {CliError} with the exit code of docker: 127 and 126 for a command that cannot run, 125 for the rest */
async function start(client: Client, path: string, remove: boolean): Promise<void> {
  try {
    await client.call('POST', `${path}/actions/start`, {})
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    // A daemon that has gone answers nothing more: what is told is how the start failed.
    const exitCode = await exitCodeOf(client, path).catch(() => undefined)
    if (remove) await client.call('DELETE', `${path}/actions/delete?volumes=true`).catch(() => {})
    throw new CliError(error.message, error.hint, { exitCode: exitCode === 126 || exitCode === 127 ? exitCode : 125 })
  }
}

async function exitCodeOf(client: Client, path: string): Promise<number | undefined> {
  return (await client.call<WireInspect>('GET', `${path}/inspect`)).status.exitCode
}

/** The daemon removes it; this waits until it has, unless the user has detached from what runs. */
async function removed(client: Client, path: string): Promise<void> {
  try {
    await client.call('DELETE', `${path}/actions/delete?volumes=true`)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
  }
}

/** The daemon finishes what was begun; what nobody has been told of by then does not stay. */
async function undoIfAborted(signal: AbortSignal, client: Client, path: string): Promise<void> {
  if (signal.aborted) await client.call('DELETE', `${path}/actions/delete?force=true&volumes=true`)
  signal.throwIfAborted()
}

async function createOne({ client, flags, args }: Invocation): Promise<string> {
  const body = createBody(flags, args)
  if (flags.is('rm') && (body.restart ?? 'no') !== 'no') {
    throw usageError('--rm and --restart exclude each other', 'What is removed at its end cannot be started again')
  }
  const { id } = await client.call<{ id: string }>('POST', '/v1/containers', body)
  return id
}

function print({ json, terminal }: Invocation, data: unknown, text: string): void {
  terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `${text}\n`)
}
