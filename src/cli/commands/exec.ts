import type { Command, Invocation } from '../command.ts'
import { CONTAINER_FLAGS } from '../kube/flags.ts'
import { live } from '../live.ts'
import { askContainer, CONTAINER_OR_POD } from './ask-container.ts'
import { DETACH_FLAG, detachKeysOf } from './live-flags.ts'

export const exec: Command = {
  names: ['container exec', 'exec'],
  summary: 'Run a command in a running container',
  usage: `${CONTAINER_OR_POD} [--] COMMAND [ARGS...]`,
  flags: {
    env: { type: 'string', short: 'e', multiple: true, value: 'K=V', help: 'set a variable' },
    user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'user to run as' },
    workdir: { type: 'string', short: 'w', value: 'DIR', help: 'working directory' },
    tty: { type: 'boolean', short: 't', help: 'give it a terminal' },
    interactive: { type: 'boolean', short: 'i', help: 'pass on what comes in on stdin' },
    detach: { type: 'boolean', short: 'd', help: 'do not wait for its end' },
    ...DETACH_FLAG,
    ...CONTAINER_FLAGS,
  },
  minArgs: 2,
  flagsFirst: true,
  flagsUntilDashes: true,
  async run(invocation) {
    const { client, terminal, flags, args } = invocation
    const detachKeys = detachKeysOf(flags)
    const [tty, stdin] = [flags.is('tty'), flags.is('interactive')]
    const post = async (verb: string, body: object) => {
      const call = (path: string) => client.call<{ execId: string }>('POST', `${path}/${verb}`, body)
      return (await askContainer(invocation, args[0]!, call)).answer
    }
    if (flags.is('detach')) {
      await post('actions/exec', { ...execBody(invocation), tty: false })
      return 0
    }
    const { rows, columns } = terminal.stdout
    const size = tty && rows && columns ? { size: { rows, columns } } : {}
    // It starts while the connection for its streams is made.
    const { execId } = await post('exec', { ...execBody(invocation), stdin, ...size, start: true })
    const end = await live(await client.webSocket(`/v1/execs/${execId}/streams`), {
      terminal,
      stdin,
      tty,
      detachKeys,
      onSignal: (signal) => void client.call('POST', `/v1/execs/${execId}/kill`, { signal }).catch(() => {}),
      hint: 'The command may go on running in the container',
    })
    return end === 'detached' ? 0 : end.exitCode
  },
}

function execBody({ flags, args: [, ...command] }: Invocation) {
  const env = flags.list('env')
  return {
    command,
    ...(env.length > 0 ? { env } : {}),
    ...(flags.text('user') === undefined ? {} : { user: flags.text('user') }),
    ...(flags.text('workdir') === undefined ? {} : { workdir: flags.text('workdir') }),
    ...(flags.is('tty') ? { tty: true } : {}),
  }
}
