import { once } from 'node:events'
import type { Command, Terminal } from '../command.ts'
import { CliError } from '../errors.ts'

export const exec: Command = {
  names: ['container exec', 'exec'],
  summary: 'Run a command in a running container',
  usage: 'CONTAINER COMMAND [ARGS...]',
  flags: {
    env: { type: 'string', short: 'e', multiple: true, value: 'K=V', help: 'set a variable' },
    user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'user to run as' },
    workdir: { type: 'string', short: 'w', value: 'DIR', help: 'working directory' },
  },
  minArgs: 2,
  flagsFirst: true,
  async run({ client, terminal, flags, args }) {
    const [container, ...command] = args
    const env = flags.list('env')
    const { execId } = await client.call<{ execId: string }>(
      'POST',
      `/v1/containers/${encodeURIComponent(container!)}/exec`,
      {
        command,
        ...(env.length > 0 ? { env } : {}),
        ...(flags.text('user') === undefined ? {} : { user: flags.text('user') }),
        ...(flags.text('workdir') === undefined ? {} : { workdir: flags.text('workdir') }),
      },
    )
    return await copyFrames(await client.stream('POST', `/v1/execs/${execId}/start`), terminal)
  },
}

/** Frames: type u8 (1 stdout, 2 stderr, 3 exit), length u32 big-endian, payload. Resolves with the exit code. */
async function copyFrames(stream: NodeJS.ReadableStream, { stdout, stderr }: Terminal): Promise<number> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const payload = rest.subarray(5, 5 + rest.readUInt32BE(1))
      const type = rest[0]
      rest = rest.subarray(5 + payload.length)
      if (type === 3) return (JSON.parse(payload.toString()) as { exitCode: number }).exitCode
      const out = type === 2 ? stderr : stdout
      if (!out.write(payload)) await once(out, 'drain')
    }
  }
  throw new CliError('The connection to the daemon broke off before the command ended')
}
