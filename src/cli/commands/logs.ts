import { once } from 'node:events'
import { FRAME, FrameReader } from '../../lib/frames.ts'
import type { Command, Flags, Invocation, Terminal } from '../command.ts'
import { settle, usageError } from '../errors.ts'
import { CONTAINER_FLAGS, DEFAULT_NAMESPACE } from '../kube/flags.ts'
import { FRAMES, LINES, LOG_FLAGS, logQuery } from '../log-query.ts'
import { askContainer, CONTAINER_OR_POD, pathOf, podNamed } from './ask-container.ts'

const { short: _, ...NAMESPACE } = CONTAINER_FLAGS['namespace']!

export const logs: Command = {
  names: ['container logs', 'logs'],
  summary: 'Print the output of a container, or of a pod',
  usage: CONTAINER_OR_POD,
  flags: {
    ...LOG_FLAGS,
    tail: { ...LOG_FLAGS.tail, help: `${LOG_FLAGS.tail.help}; -n with a name is the namespace` },
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

async function printFrames(frames: NodeJS.ReadableStream, { stdout, stderr }: Terminal): Promise<void> {
  const reader = new FrameReader(FRAME.stdout)
  for await (const bytes of frames) {
    for (const { type, payload } of reader.push(bytes as Buffer)) {
      const out = type === FRAME.stderr ? stderr : stdout
      if (!out.write(payload)) await once(out, 'drain')
    }
  }
}
