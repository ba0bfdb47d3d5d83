import type { Command } from '../command.ts'
import { ALL_NAMESPACES_FLAG, FILE_FLAGS, NAMESPACE_FLAG, SELECTOR_FLAG } from '../kube/flags.ts'

const WHICH = { ...NAMESPACE_FLAG, ...ALL_NAMESPACES_FLAG, ...SELECTOR_FLAG }

export const get: Command = {
  names: ['get', 'resource get'],
  summary: 'List pods, replica sets, services and other objects of Kubernetes, or show some',
  usage: 'KIND [NAME...]',
  flags: {
    ...WHICH,
    output: { type: 'string', short: 'o', value: 'OUTPUT', help: 'wide, name, yaml or json, instead of a table' },
    watch: { type: 'boolean', short: 'w', help: 'go on with what changes' },
    wait: { type: 'boolean', help: 'the same, as the public Raind spells it' },
    'show-labels': { type: 'boolean', help: 'as a last column' },
    'no-headers': { type: 'boolean', help: 'rows only' },
  },
  minArgs: 1,
  async run(invocation) {
    const { getObjects } = await import('../kube/get.ts')
    return await getObjects(invocation)
  },
}

export const describe: Command = {
  names: ['describe', 'resource describe'],
  summary: 'Tell what is known of objects of Kubernetes, and what has happened to them',
  usage: 'KIND [NAME...]',
  flags: WHICH,
  minArgs: 1,
  async run(invocation) {
    const { describeObjects } = await import('../kube/describe/describe.ts')
    return await describeObjects(invocation)
  },
}

const FORCE = {
  force: { type: 'boolean', help: 'take over fields that others manage, and make anew what cannot be changed' },
} as const

export const apply: Command = {
  names: ['apply', 'resource apply'],
  summary: 'Make objects of Kubernetes what manifests say: create or change them',
  usage: '-f FILE',
  flags: {
    ...FILE_FLAGS,
    ...NAMESPACE_FLAG,
    ...FORCE,
    'dry-run': {
      type: 'string',
      implied: 'server',
      value: 'MODE',
      help: 'only say what would be done: server, or none',
    },
  },
  maxArgs: 0,
  async run(invocation) {
    const { applyManifests } = await import('../kube/apply.ts')
    await applyManifests(invocation)
  },
}

export const diff: Command = {
  names: ['diff', 'resource diff'],
  summary: 'Show what applying manifests would change; exits with 1 if anything would',
  usage: '-f FILE',
  flags: { ...FILE_FLAGS, ...NAMESPACE_FLAG, ...FORCE },
  maxArgs: 0,
  async run(invocation) {
    const { diffManifests } = await import('../kube/diff.ts')
    return await diffManifests(invocation)
  },
}

/** Of a deletion, besides what says which. */
export const DELETE_FLAGS = {
  ...WHICH,
  all: { type: 'boolean', help: 'all of that kind in the namespace' },
  wait: { type: 'string', implied: 'true', value: 'true|false', help: 'until they are gone (default true)' },
  'grace-period': { type: 'string', value: 'SECONDS', help: 'time that pods have to end, instead of their own' },
  now: { type: 'boolean', help: 'the same as --grace-period=1' },
  force: { type: 'boolean', help: 'the same as --grace-period=0' },
  'ignore-not-found': { type: 'boolean', help: 'what is not there is no failure' },
  cascade: {
    type: 'string',
    implied: 'background',
    value: 'HOW',
    help: 'what they own goes after them (background, default), before them (foreground), or stays (orphan)',
  },
} as const

export const remove: Command = {
  names: ['delete', 'resource delete', 'resource rm'],
  summary: 'Delete objects of Kubernetes: by kind and name, or those that manifests name (-f)',
  usage: '[KIND] [NAME...]',
  flags: { ...FILE_FLAGS, ...DELETE_FLAGS },
  async run(invocation) {
    const { deleteObjects } = await import('../kube/delete.ts')
    return await deleteObjects(invocation)
  },
}

export const scale: Command = {
  names: ['scale', 'resource scale'],
  summary: 'Set how many pods replica sets have',
  usage: 'KIND NAME...',
  flags: { replicas: { type: 'string', short: 'r', value: 'N', help: 'how many' }, ...NAMESPACE_FLAG },
  minArgs: 1,
  async run(invocation) {
    const { scaleObjects } = await import('../kube/scale.ts')
    return await scaleObjects(invocation)
  },
}
