import { once } from 'node:events'
import { FRAME, FrameReader } from '../../lib/frames.ts'
import type { Command, Flags, Invocation, Terminal } from '../command.ts'
import { settle, usageError } from '../errors.ts'
import { CONTAINER_FLAGS, DEFAULT_NAMESPACE } from '../kube/flags.ts'
import { askContainer, CONTAINER_OR_POD, pathOf, podNamed } from './ask-container.ts'

/** What the public CLI shows unless told otherwise. */
const DEFAULT_LINES = '100'
/** Of the daemon's frames (`FRAME_STREAM` of the API). */
const FRAMES = 'application/vnd.raind.stream'

const { short: _, ...NAMESPACE } = CONTAINER_FLAGS['namespace']!

export const logs: Command = {
  names: ['container logs', 'logs'],
  summary: 'Print the output of a container, or of a pod',
  usage: CONTAINER_OR_POD,
  flags: {
    follow: { type: 'boolean', short: 'f', help: 'go on until the container ends' },
    tail: {
      type: 'string',
      short: 'n',
      value: 'N',
      help: `how many lines from the end, or all (default ${DEFAULT_LINES}); -n with a name is the namespace`,
    },
    line: { type: 'string', value: 'N', help: 'the same, as the public Raind spells it' },
    since: { type: 'string', value: 'TIME', help: 'not what is older: a time, or how long ago (10m, 2h)' },
    until: { type: 'string', value: 'TIME', help: 'not what is younger' },
    timestamps: { type: 'boolean', short: 't', help: 'put the time before each line' },
    ...CONTAINER_FLAGS,
    namespace: NAMESPACE,
    previous: { type: 'boolean', short: 'p', help: 'of a pod: what the container wrote before it was restarted' },
    'all-containers': { type: 'boolean', help: 'of a pod: all of its containers, one after the other unless -f' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(given) {
    const invocation = { ...given, flags: withNamespace(given.flags) }
    const { client, terminal, flags, args } = invocation
    const query = logQuery(flags)
    const open = (path: string) => client.stream('GET', `${path}/log?${query}`, { accept: FRAMES })
    if (flags.is('all-containers')) return await printAll(invocation, open)
    const { answer } = await askContainer(invocation, args[0]!, open)
    await printFrames(answer, terminal)
    return 0
  },
}

/** `-n` is docker's for a number of lines, and kubectl's for a namespace. */
function withNamespace(flags: Flags): Flags {
  const tail = flags.text('tail')
  if (tail === undefined || LINES.test(tail)) return flags
  const texts: Readonly<Record<string, string | undefined>> = { tail: undefined, namespace: tail }
  return { ...flags, text: (name) => (Object.hasOwn(texts, name) ? texts[name] : flags.text(name)) }
}

function logQuery(flags: Flags): URLSearchParams {
  const query = new URLSearchParams({
    follow: String(flags.is('follow')),
    timestamps: String(flags.is('timestamps')),
  })
  const lines = tailOf(flags)
  if (lines !== 'all') query.set('tail_lines', lines)
  for (const name of ['since', 'until']) {
    const text = flags.text(name)
    if (text !== undefined) query.set(name, timeOf(name, text))
  }
  return query
}

/** Of each container of a pod. */
async function printAll(
  { client, terminal, flags, args }: Invocation,
  open: (path: string) => Promise<NodeJS.ReadableStream>,
): Promise<number> {
  if (flags.text('container') !== undefined) throw usageError('Give --container or --all-containers, not both')
  const [name] = args
  const ref = podNamed(name!, flags) ?? { name: name!, namespace: DEFAULT_NAMESPACE }
  const { containerIdOf, containersOf, fetchPod } = await import('../kube/pod-containers.ts')
  const pod = await fetchPod(client, ref)
  const errors: Error[] = []
  const print = async (container: string) => {
    try {
      const id = containerIdOf(pod, container, { previous: flags.is('previous') })
      await printFrames(await open(pathOf(id)), terminal)
    } catch (error) {
      errors.push(error as Error)
    }
  }
  if (flags.is('follow')) await Promise.all(containersOf(pod).map(print))
  else for (const container of containersOf(pod)) await print(container)
  return settle(errors, terminal)
}

const LINES = /^(?:all|\d+)$/

function tailOf(flags: Flags): string {
  const text = flags.text('tail') ?? flags.text('line') ?? DEFAULT_LINES
  if (!LINES.test(text)) throw usageError(`--line wants a number of lines or "all", not "${text}"`)
  return text
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A time as the API takes it; `10m` is so long ago. */
function timeOf(flag: string, text: string): string {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)]
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_SECONDS[unit!]!, 0)
    return String(Date.now() / 1000 - seconds)
  }
  if (/^\d+(\.\d+)?$/.test(text)) return text
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw usageError(
    `--${flag} wants a time (2026-01-02T15:04:05), seconds since 1970, or how long ago (10m), not "${text}"`,
  )
}

async function printFrames(frames: NodeJS.ReadableStream, { stdout, stderr }: Terminal): Promise<void> {
  const reader = new FrameReader(FRAME.stdout)
  for await (const bytes of frames) {
    for (const { type, payload } of reader.push(bytes as Buffer)) {
      const out = type === FRAME.stderr ? stderr : stdout
      if (!out.write(payload)) await once(out, 'drain')
    }
  }
}
