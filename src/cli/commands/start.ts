import type { WireInspect } from '../../api/raind/index.ts'
import type { Command, Invocation } from '../command.ts'
import { usageError } from '../errors.ts'
import { attachTo } from './attach.ts'
import { DETACH_FLAG, detachKeysOf } from './live-flags.ts'
import { onEach } from './on-each.ts'

const each = onEach({
  names: ['container start', 'start'],
  summary: 'Start containers',
  kind: 'container',
  done: 'started',
  flags: {
    attach: { type: 'boolean', short: 'a', help: 'show what it writes, and wait for its end (one container only)' },
    interactive: { type: 'boolean', short: 'i', help: 'pass on what comes in, too' },
    ...DETACH_FLAG,
  },
  act: ({ client }, ref) => client.call('POST', `${pathOf(ref)}/actions/start`, {}),
})

export const start: Command = {
  ...each,
  async run(invocation) {
    const { flags, args } = invocation
    if (!flags.is('attach') && !flags.is('interactive')) return (await each.run(invocation)) as number
    if (args.length > 1) throw usageError('Only one container can be started and attached to at a time')
    return await startAttached(invocation, pathOf(args[0]!))
  },
}

/** As docker: what runs already is attached to only. */
async function startAttached({ client, terminal, flags }: Invocation, path: string): Promise<number> {
  const detachKeys = detachKeysOf(flags)
  const { spec, state } = await client.call<WireInspect>('GET', `${path}/inspect`)
  const stdin = flags.is('interactive') && spec.openStdin
  const onOpen = async () => {
    if (state !== 'running') await client.call('POST', `${path}/actions/start`, {})
  }
  return await attachTo({ client, terminal, detachKeys, path, query: '&wait=true', tty: spec.tty, stdin, onOpen })
}

function pathOf(ref: string): string {
  return `/v1/containers/${encodeURIComponent(ref)}`
}
