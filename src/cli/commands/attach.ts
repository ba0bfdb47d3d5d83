import type { WireInspect } from '../../api/raind/index.ts'
import type { Client } from '../client.ts'
import type { Command, Terminal } from '../command.ts'
import { CONTAINER_FLAGS } from '../kube/flags.ts'
import { live } from '../live.ts'
import { askContainer, CONTAINER_OR_POD } from './ask-container.ts'
import { DETACH_FLAG, detachKeysOf } from './live-flags.ts'

export const attach: Command = {
  names: ['container attach', 'attach'],
  summary: "Connect the terminal with a running container's",
  usage: CONTAINER_OR_POD,
  flags: {
    'no-stdin': { type: 'boolean', help: 'do not pass on what comes in' },
    logs: { type: 'boolean', help: 'begin with what it has written before' },
    ...DETACH_FLAG,
    ...CONTAINER_FLAGS,
  },
  minArgs: 1,
  maxArgs: 1,
  async run(invocation) {
    const { client, terminal, flags, args } = invocation
    const detachKeys = detachKeysOf(flags)
    const inspect = (path: string) => client.call<WireInspect>('GET', `${path}/inspect`)
    const {
      path,
      answer: { spec },
    } = await askContainer(invocation, args[0]!, inspect)
    if (spec.tty && terminal.stdin.isTTY) {
      terminal.stderr.write(`To leave it running, press ${flags.text('detach-keys') ?? 'Ctrl-P Ctrl-Q'}\n`)
    }
    const query = flags.is('logs') ? '&logs=true' : ''
    return await attachTo({
      client,
      terminal,
      detachKeys,
      path,
      query,
      tty: spec.tty,
      stdin: spec.openStdin && !flags.is('no-stdin'),
    })
  },
}

export interface AttachTo {
  readonly client: Client
  readonly terminal: Terminal
  readonly detachKeys: Uint8Array
  /** Of the container. */
  readonly path: string
  /** `&key=value...`, besides stdin. */
  readonly query: string
  readonly tty: boolean
  readonly stdin: boolean
  /** Called when the connection is there. */
  readonly onOpen?: () => Promise<void>
}

/** Resolves with the exit code of the container, or 0 when the user has detached. Signals go to the container. */
export async function attachTo({ onOpen, ...to }: AttachTo): Promise<number> {
  const { client, terminal, path, query, tty, stdin, detachKeys } = to
  const socket = await client.webSocket(`${path}/streams?stdin=${stdin}${query}`)
  const running = live(socket, {
    terminal,
    stdin,
    tty,
    detachKeys,
    onSignal: (signal) => void client.call('POST', `${path}/actions/kill`, { signal }).catch(() => {}),
    hint: 'The container goes on running; end it with: raind kill',
  })
  running.catch(() => {})
  try {
    await onOpen?.()
    const end = await running
    return end === 'detached' ? 0 : end.exitCode
  } finally {
    socket.terminate()
  }
}
