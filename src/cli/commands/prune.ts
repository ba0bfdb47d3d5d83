import type { WirePruned, WireSystemPruned } from '../../api/raind/index.ts'
import type { Command, FlagSpec, Invocation } from '../command.ts'
import { filterFlag, PRUNE_FILTERS, readFilters } from '../filters.ts'
import { bytes } from '../format.ts'
import { confirm } from '../prompt.ts'

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  force: { type: 'boolean', short: 'f', help: 'do not ask' },
  filter: filterFlag(PRUNE_FILTERS),
}
const ALL_IMAGES: FlagSpec = { type: 'boolean', short: 'a', help: 'also images that have a tag' }

/** What is said of one that is gone. */
const REMOVED = { container: 'removed', network: 'removed', image: 'remove completed', volume: 'removed' }
type Kind = keyof typeof REMOVED

export const containerPrune = pruning(
  'container',
  'Remove containers that do not run',
  () => 'all containers that do not run',
)

export const networkPrune = pruning(
  'network',
  'Remove networks that no container is attached to',
  () => 'all networks that no container is attached to',
)

export const imagePrune = pruning('image', 'Remove images that have no tag and that no container uses', imagesOf, {
  all: ALL_IMAGES,
})

export const volumePrune = pruning(
  'volume',
  'Remove volumes that no container uses: those without a name, or all',
  ({ flags }) => `all volumes ${flags.is('all') ? '' : 'without a name '}that no container uses`,
  { all: { type: 'boolean', short: 'a', help: 'also volumes that have a name' } },
)

export const systemPrune: Command = {
  names: ['system prune'],
  summary: 'Remove containers, networks and images that nothing uses',
  usage: '',
  flags: {
    all: ALL_IMAGES,
    volumes: { type: 'boolean', help: 'also volumes that have no name' },
    ...FLAGS,
  },
  maxArgs: 0,
  async run(invocation) {
    await ask(invocation, [
      'all containers that do not run',
      'all networks that no container is attached to',
      ...(invocation.flags.is('volumes') ? ['all volumes without a name that no container uses'] : []),
      imagesOf(invocation),
    ])
    const pruned = await invocation.client.call<WireSystemPruned>('POST', '/v1/system/prune', bodyOf(invocation))
    const { containers, networks, volumes, images, reclaimedBytes } = pruned
    return report(
      invocation,
      pruned,
      [
        ['container', containers],
        ['network', networks],
        ...(volumes === undefined ? [] : [['volume', volumes] as const]),
        ['image', images],
      ],
      reclaimedBytes,
    )
  },
}

function pruning(
  kind: Kind,
  summary: string,
  what: (invocation: Invocation) => string,
  flags: Readonly<Record<string, FlagSpec>> = {},
): Command {
  return {
    names: [`${kind} prune`],
    summary,
    usage: '',
    flags: { ...flags, ...FLAGS },
    maxArgs: 0,
    async run(invocation) {
      await ask(invocation, [what(invocation)])
      const pruned = await invocation.client.call<WirePruned>('POST', `/v1/${kind}s/prune`, bodyOf(invocation))
      return report(invocation, pruned, [[kind, pruned]], pruned.reclaimedBytes)
    },
  }
}

function imagesOf({ flags }: Invocation): string {
  return flags.is('all')
    ? 'all images that no container uses'
    : 'all images that have no tag and that no container uses'
}

async function ask({ terminal, flags }: Invocation, what: readonly string[]): Promise<void> {
  if (flags.is('force')) return
  // A filter that is wrong is told before the question.
  const filters = readFilters(flags, PRUNE_FILTERS).map((filter) => filter.join('='))
  const list = what.map((one) => `  - ${one}\n`).join('')
  const only = filters.length === 0 ? '' : `of these only what is: ${filters.join(', ')}\n`
  await confirm(terminal, `WARNING! This will remove:\n${list}${only}`)
}

function bodyOf({ flags }: Invocation): object {
  const filters = readFilters(flags, PRUNE_FILTERS)
  const valuesOf = (key: string) => filters.filter(([name]) => name === key).map(([, value]) => value)
  const label = valuesOf('label')
  return {
    ...(flags.is('all') && { all: true }),
    ...(flags.is('volumes') && { volumes: true }),
    ...(label.length > 0 && { label }),
    until: valuesOf('until').at(-1),
  }
}

function report(
  { terminal, json }: Invocation,
  data: object,
  parts: readonly (readonly [Kind, WirePruned])[],
  reclaimedBytes: number,
): number {
  if (json) terminal.stdout.write(`${JSON.stringify(data)}\n`)
  else {
    const lines = parts.flatMap(([kind, { removed }]) => removed.map((name) => `${kind}: ${name} ${REMOVED[kind]}\n`))
    terminal.stdout.write(`${lines.join('')}Total reclaimed space: ${bytes(reclaimedBytes)}\n`)
  }
  const failed = parts.flatMap(([, { failed = [] }]) => failed)
  for (const { message } of failed) terminal.stderr.write(`raind: ${message}\n`)
  return failed.length > 0 ? 1 : 0
}
