import type { WireApplied } from '../../api/raind/index.ts'
import type { Command, FlagSpec, Invocation } from '../command.ts'
import { FILE_FLAGS, NAMESPACE_FLAG } from '../kube/flags.ts'
import { KINDS, type Kind } from '../kube/kinds.ts'
import { labelsOf } from './create-flags.ts'
import { DELETE_FLAGS, describe, get, remove, scale } from './objects.ts'
import { onEach } from './on-each.ts'

/** `raind pod ls`, and `raind resource pod ls` as the documents of the public Raind have it: other names of get, delete ... */
export const objectNouns: readonly Command[] = [
  ...nouns('Pod', { unlisted: false }),
  podVerb('start', 'started', 'Have pods run that were stopped, or made by "raind pod create"'),
  podVerb('stop', 'stopped', 'Stop pods: they stay, and run again when they are started'),
  podCreate(),
  ...nouns('ReplicaSet'),
  withKind('ReplicaSet', scale, { names: namesOf('ReplicaSet', 'scale'), usage: 'REPLICASET...', minArgs: 1 }),
  ...nouns('Service'),
  serviceCreate(),
  ...nouns('ConfigMap'),
  ...nouns('Secret'),
  ...nouns('Namespace'),
  namespaceCreate(),
]

function nouns(kind: Kind, { unlisted = true } = {}): Command[] {
  const usage = kind.toUpperCase()
  const { plural } = KINDS[kind]
  const force: FlagSpec = { ...DELETE_FLAGS.force, short: 'f' }
  return [
    withKind(kind, get, {
      names: [...namesOf(kind, 'ls', 'get'), ...wordsOf(kind).map((word) => `resource ${word}`)],
      summary: `List ${plural}`,
      usage: `[${usage}...]`,
      unlisted,
    }),
    withKind(kind, describe, { names: namesOf(kind, 'show', 'describe'), usage: `[${usage}...]` }),
    withKind(kind, remove, {
      names: namesOf(kind, 'rm', 'delete'),
      summary: `Delete ${plural}`,
      usage: `${usage}...`,
      flags: { ...DELETE_FLAGS, force },
      unlisted,
    }),
    withKind(kind, get, {
      names: namesOf(kind, 'inspect'),
      summary: `Print all that is known of ${plural}, as JSON`,
      usage: `${usage}...`,
      flags: NAMESPACE_FLAG,
      minArgs: 1,
      json: true,
      unlisted,
    }),
  ]
}

/** A command that takes a kind first, as one that is of that kind. */
function withKind(
  kind: Kind,
  command: Command,
  { json, ...changes }: Partial<Command> & Pick<Command, 'names' | 'usage'> & { readonly json?: boolean },
): Command {
  return {
    ...command,
    minArgs: 0,
    unlisted: true,
    ...changes,
    run: (invocation: Invocation) =>
      command.run({
        ...invocation,
        args: [kind, ...invocation.args],
        json: json ?? invocation.json,
      }),
  }
}

function wordsOf(kind: Kind): string[] {
  const { short } = KINDS[kind]
  return [kind.toLowerCase(), ...(short === undefined ? [] : [short])]
}

/** All names of a command on a kind: the first verb everywhere, the others behind `resource`. */
function namesOf(kind: Kind, verb: string, ...others: readonly string[]): [string, ...string[]] {
  const resource = wordsOf(kind).flatMap((word) => [verb, ...others].map((one) => `resource ${word} ${one}`))
  return [`${kind.toLowerCase()} ${verb}`, ...resource]
}

function podVerb(verb: string, done: string, summary: string): Command {
  return onEach({
    names: namesOf('Pod', verb),
    summary,
    kind: 'pod',
    done,
    flags: NAMESPACE_FLAG,
    async act({ client, flags }, ref) {
      const { uidOf } = await import('../kube/fetch-objects.ts')
      return await client.call('POST', `/v1/pods/${await uidOf(client, 'Pod', ref, flags)}/actions/${verb}`)
    },
  })
}

function podCreate(): Command {
  const pair = (short: string, what: string): FlagSpec => {
    return { type: 'string', short, multiple: true, value: 'K=V', help: `set ${what}` }
  }
  return {
    names: namesOf('Pod', 'create'),
    summary: 'Create a pod that does not run yet',
    usage: '--name NAME',
    flags: {
      name: { type: 'string', short: 'n', value: 'NAME', help: 'its name' },
      namespace: { type: 'string', value: 'NAMESPACE', help: 'its namespace (default default)' },
      uid: { type: 'string', value: 'UID', help: 'its id (default a new one)' },
      label: pair('l', 'a label'),
      annotation: pair('a', 'an annotation'),
    },
    maxArgs: 0,
    unlisted: true,
    async run({ client, terminal, flags, json }) {
      const body = {
        name: flags.text('name'),
        namespace: flags.text('namespace') ?? 'default',
        uid: flags.text('uid'),
        labels: labelsOf(flags.list('label')),
        annotations: labelsOf(flags.list('annotation')),
      }
      const data = await client.call<{ podId: string }>('POST', '/v1/pods', body)
      terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `pod: ${data.podId} created\n`)
    },
  }
}

function serviceCreate(): Command {
  return {
    names: namesOf('Service', 'create'),
    summary: 'Create a service from a manifest',
    usage: '-f FILE',
    flags: FILE_FLAGS,
    maxArgs: 0,
    unlisted: true,
    async run(invocation) {
      const { sendManifests } = await import('../kube/send-manifests.ts')
      const data = await sendManifests<{ serviceId: string }>(invocation, '/v1/services')
      const text = invocation.json ? JSON.stringify(data) : `service: ${data.serviceId} created`
      invocation.terminal.stdout.write(`${text}\n`)
    },
  }
}

function namespaceCreate(): Command {
  return {
    names: [...namesOf('Namespace', 'create'), 'resource create namespace', 'resource create ns'],
    summary: 'Create a namespace',
    usage: 'NAME',
    minArgs: 1,
    maxArgs: 1,
    unlisted: true,
    async run({ client, terminal, args, json }) {
      const { sendText } = await import('../kube/send-manifests.ts')
      const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: args[0] } }
      const data = await sendText<WireApplied>(client, '/v1/resource/apply', JSON.stringify(manifest))
      const [result] = data.results ?? []
      terminal.stdout.write(json ? `${JSON.stringify(data)}\n` : `namespace/${args[0]} ${result?.action}\n`)
    },
  }
}
