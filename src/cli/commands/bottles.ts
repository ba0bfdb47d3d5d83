import { PROJECT_FLAGS } from '../bottle/project.ts'
import type { Command, FlagSpec, Invocation } from '../command.ts'
import { usageError } from '../errors.ts'
import { LOG_FLAGS } from '../log-query.ts'

const TIMEOUT: Readonly<Record<string, FlagSpec>> = {
  timeout: { type: 'string', short: 't', value: 'SECONDS', help: 'time that each container has to end' },
}

const QUIET_PULL: Readonly<Record<string, FlagSpec>> = {
  'quiet-pull': { type: 'boolean', help: 'show no progress of pulls' },
}

export const up: Command = {
  names: ['bottle up'],
  summary: 'Have the services of a Compose file run: make them, or change what is not as the file says',
  usage: '[-f FILE]',
  flags: {
    ...PROJECT_FLAGS,
    ...TIMEOUT,
    ...QUIET_PULL,
    'force-recreate': { type: 'boolean', help: 'make containers anew though nothing has changed' },
    'no-start': { type: 'boolean', help: 'only make them' },
    detach: { type: 'boolean', short: 'd', help: 'taken for the sake of Compose: it never waits for their end' },
  },
  maxArgs: 0,
  async run(invocation) {
    const { bringUp } = await import('../bottle/up.ts')
    await bringUp(invocation)
  },
}

export const create: Command = {
  names: ['bottle create'],
  summary: 'Make a bottle of a bottle file or a Compose file, without starting it',
  usage: '[-f FILE]',
  flags: { ...PROJECT_FLAGS, ...QUIET_PULL },
  maxArgs: 0,
  async run(invocation) {
    const { createBottle } = await import('../bottle/up.ts')
    await createBottle(invocation)
  },
}

export const config: Command = {
  names: ['bottle config'],
  summary: 'Print what Compose files say together, with variables replaced and paths absolute',
  usage: '[-f FILE]',
  flags: PROJECT_FLAGS,
  maxArgs: 0,
  async run(invocation) {
    const { printProject } = await import('../bottle/up.ts')
    await printProject(invocation)
  },
}

export const down: Command = acting('bottle down', 'delete', 'Stop a bottle and remove all it has, but its volumes', {
  ...PROJECT_FLAGS,
  ...TIMEOUT,
  volumes: { type: 'boolean', short: 'v', help: 'also its volumes that have names, with their data' },
})

export const start = acting(
  'bottle start',
  'start',
  'Start the containers of a bottle, in the order of its dependencies',
  PROJECT_FLAGS,
)
export const stop = acting('bottle stop', 'stop', 'Stop the containers of a bottle', { ...PROJECT_FLAGS, ...TIMEOUT })
export const restart = acting('bottle restart', 'restart', 'Stop and start the containers of a bottle', {
  ...PROJECT_FLAGS,
  ...TIMEOUT,
})
export const rm = acting('bottle rm', 'delete', 'The same as bottle down, by name', down.flags!)

export const scale: Command = {
  names: ['bottle scale'],
  summary: 'Set how many containers services of a bottle have',
  usage: 'BOTTLE BOTTLE_SERVICE=N...',
  minArgs: 2,
  async run({ client, args, terminal, json }) {
    const [bottle, ...words] = args
    const replicas = Object.fromEntries(words.map(replicasOf))
    const { pathOf } = await import('../bottle/target.ts')
    const data = await client.call('POST', pathOf(bottle!, 'scale'), { replicas })
    terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `bottle: ${bottle} scaled\n`)
  },
}

export const ls: Command = {
  names: ['bottle ls', 'bottle list'],
  summary: 'List bottles',
  usage: '',
  flags: { quiet: { type: 'boolean', short: 'q', help: 'print ids only' } },
  maxArgs: 0,
  async run(invocation) {
    const { listBottles } = await import('../bottle/show.ts')
    await listBottles(invocation)
  },
}

export const ps: Command = {
  names: ['bottle ps'],
  summary: 'List the containers of a bottle',
  usage: '[BOTTLE]',
  flags: PROJECT_FLAGS,
  maxArgs: 1,
  async run(invocation) {
    const { listMembers } = await import('../bottle/show.ts')
    await listMembers(invocation)
  },
}

export const show: Command = {
  names: ['bottle show', 'bottle inspect'],
  summary: 'Show what a bottle is made of',
  usage: '[BOTTLE]',
  flags: PROJECT_FLAGS,
  maxArgs: 1,
  async run(invocation) {
    const { showBottle } = await import('../bottle/show.ts')
    await showBottle(invocation)
  },
}

export const logs: Command = {
  names: ['bottle logs'],
  summary: 'Print the output of the containers of a bottle',
  usage: '[BOTTLE] [BOTTLE_SERVICE...]',
  flags: {
    ...LOG_FLAGS,
    'no-color': { type: 'boolean', help: 'without colours' },
    'project-name': PROJECT_FLAGS['project-name']!,
  },
  async run(invocation) {
    const { printLogs } = await import('../bottle/logs.ts')
    return await printLogs(invocation)
  },
}

/** A command that has one thing done with a bottle, or with some of its services. */
function acting(name: string, action: string, summary: string, flags: Command['flags']): Command {
  return {
    names: [name as `bottle ${string}`],
    summary,
    usage: action === 'delete' ? '[BOTTLE]' : '[BOTTLE] [BOTTLE_SERVICE...]',
    flags: flags!,
    ...(action === 'delete' && { maxArgs: 1 }),
    async run(invocation: Invocation) {
      const { client, args, terminal, json } = invocation
      const { bottleOf, pathOf } = await import('../bottle/target.ts')
      const bottle = await bottleOf(invocation)
      const services = args.slice(1)
      const timeout = invocation.flags.number('timeout')
      const data = await client.call('POST', pathOf(bottle, action), {
        ...(services.length > 0 && { services }),
        ...(timeout !== undefined && { timeout }),
        ...(invocation.flags.is('volumes') && { volumes: true }),
      })
      terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `bottle: ${bottle} ${DONE[action]}\n`)
    },
  }
}

const DONE: Readonly<Record<string, string>> = {
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
  delete: 'removed',
}

function replicasOf(word: string): [string, number] {
  const [service = '', count = ''] = word.split('=')
  if (!/^\d{1,4}$/.test(count) || service === '') throw usageError(`Give SERVICE=N, not "${word}"`)
  return [service, Number(count)]
}
