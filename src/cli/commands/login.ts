import { textOf } from '../client.ts'
import type { Command, Invocation } from '../command.ts'
import { eraseCredentials, storeCredentials } from '../docker-config.ts'
import { usageError } from '../errors.ts'
import { promptLine, promptSecret } from '../prompt.ts'

const DEFAULT_REGISTRY = 'docker.io'

export const login: Command = {
  names: ['login'],
  summary: 'Log in to a registry',
  usage: '[REGISTRY]',
  flags: {
    username: { type: 'string', short: 'u', value: 'NAME', help: 'user name' },
    password: {
      type: 'string',
      short: 'p',
      value: 'PASSWORD',
      help: 'password; others can see it in the process list',
    },
    'password-stdin': { type: 'boolean', help: 'read the password from stdin' },
  },
  maxArgs: 1,
  async run(invocation) {
    const { client, args, terminal, json } = invocation
    const registry = args[0] ?? DEFAULT_REGISTRY
    const auth = await askCredentials(invocation)
    await client.call('POST', '/v1/registries/login', { registry, auth })
    const place = await storeCredentials(registry, auth)
    terminal.stdout.write(json ? `${JSON.stringify({ registry, place })}\n` : `registry: ${registry} login completed\n`)
  },
}

export const logout: Command = {
  names: ['logout'],
  summary: 'Forget the login to a registry',
  usage: '[REGISTRY]',
  maxArgs: 1,
  async run({ args, terminal, json }) {
    const registry = args[0] ?? DEFAULT_REGISTRY
    const removed = await eraseCredentials(registry)
    const text = removed ? `registry: ${registry} logout completed` : `registry: ${registry} was not logged in to`
    terminal.stdout.write(json ? `${JSON.stringify({ registry, removed })}\n` : `${text}\n`)
  },
}

async function askCredentials({ flags, terminal }: Invocation): Promise<{ username: string; password: string }> {
  const fromStdin = flags.is('password-stdin')
  if (fromStdin && flags.text('password') !== undefined)
    throw usageError('Give --password or --password-stdin, not both')
  const isTerminal = terminal.stdin.isTTY === true
  if (!isTerminal && (flags.text('username') === undefined || (!fromStdin && flags.text('password') === undefined))) {
    throw usageError('Without a terminal to ask at, --username and --password-stdin are needed')
  }
  const username = flags.text('username') ?? (await promptLine(terminal, 'Username: '))
  const password = fromStdin
    ? (await textOf(terminal.stdin)).replace(/\r?\n$/, '')
    : (flags.text('password') ?? (await promptSecret(terminal, 'Password: ')))
  if (username === '' || password === '') throw usageError('A user name and a password are needed')
  return { username, password }
}
