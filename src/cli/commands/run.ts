import type { WireExit } from '../../api/raind/index.ts'
import type { Command, Invocation } from '../command.ts'
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
    if (flags.is('detach')) {
      await client.call('POST', `${path}/actions/start`, {})
      print(invocation, { id }, `container: ${id} started`)
      return 0
    }
    return await runInForeground(invocation, path)
  },
}

/** Removal with --rm is this side's as long as it waits, so that the log can be read to its end first. */
async function runInForeground({ client, terminal, flags }: Invocation, path: string): Promise<number> {
  await client.call('POST', `${path}/actions/start`, {})
  const { exitCode } = await client.call<WireExit>('POST', `${path}/actions/wait`)
  await printLog(client, terminal, path)
  if (flags.is('rm')) await client.call('DELETE', `${path}/actions/delete`)
  return exitCode
}

async function createOne(invocation: Invocation): Promise<string> {
  const { client, flags, args } = invocation
  await ensureImage(invocation, args[0]!)
  const body = createBody(flags, args)
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
