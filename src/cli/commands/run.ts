import type { WireExit, WireInspect } from '../../api/raind/index.ts'
import type { Client } from '../client.ts'
import type { Command, Invocation } from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { CREATE_FLAGS, createBody } from './create-flags.ts'
import { printLog } from './logs.ts'
import { ensureImage } from './pull.ts'

export const create: Command = {
  names: ['container create', 'create'],
  summary: 'Create a container without starting it',
  usage: 'IMAGE [ARGS...]',
  flags: CREATE_FLAGS,
  minArgs: 1,
  flagsFirst: true,
  async run(invocation) {
    const id = await createOne(invocation)
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
  },
  minArgs: 1,
  flagsFirst: true,
  async run(invocation) {
    const { client, flags } = invocation
    const id = await createOne(invocation)
    const path = `/v1/containers/${id}`
    await start(client, path, flags.is('rm'))
    if (flags.is('detach')) {
      print(invocation, { id }, `container: ${id} started`)
      return 0
    }
    return await runInForeground(invocation, path)
  },
}

/** @throws {CliError} with the exit code of docker: 127 and 126 for a command that cannot run, 125 for the rest */
async function start(client: Client, path: string, remove: boolean): Promise<void> {
  try {
    await client.call('POST', `${path}/actions/start`, {})
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const { exitCode } = (await client.call<WireInspect>('GET', `${path}/inspect`)).status
    if (remove) await client.call('DELETE', `${path}/actions/delete?volumes=true`)
    throw new CliError(error.message, error.hint, { exitCode: exitCode === 126 || exitCode === 127 ? exitCode : 125 })
  }
}

/** Removal with --rm is this side's as long as it waits, so that the log can be read to its end first. */
async function runInForeground({ client, terminal, flags }: Invocation, path: string): Promise<number> {
  const { exitCode } = await client.call<WireExit>('POST', `${path}/actions/wait`)
  await printLog(client, terminal, path)
  if (flags.is('rm')) await client.call('DELETE', `${path}/actions/delete?volumes=true`)
  return exitCode
}

async function createOne(invocation: Invocation): Promise<string> {
  const { client, flags, args } = invocation
  await ensureImage(invocation, args[0]!)
  const body = createBody(flags, args)
  if (flags.is('rm') && (body.restart ?? 'no') !== 'no') {
    throw usageError('--rm and --restart exclude each other', 'What is removed at its end cannot be started again')
  }
  const removeHere = flags.is('rm') && !flags.is('detach')
  const { id } = await client.call<{ id: string }>(
    'POST',
    '/v1/containers',
    removeHere ? { ...body, autoRemove: false } : body,
  )
  return id
}

function print({ json, terminal }: Invocation, data: unknown, text: string): void {
  terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `${text}\n`)
}
