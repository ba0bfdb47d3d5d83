import type { FlagSpec } from '../command.ts'

type FlagSpecs = Readonly<Record<string, FlagSpec>>

export const DEFAULT_NAMESPACE = 'default'

export const NAMESPACE_FLAG: FlagSpecs = {
  namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: `namespace (default ${DEFAULT_NAMESPACE})` },
}

export const SELECTOR_FLAG: FlagSpecs = {
  selector: {
    type: 'string',
    short: 'l',
    value: 'SELECTOR',
    help: 'only those with labels such as app=web,tier!=front,env in (a,b),!canary',
  },
}

export const ALL_NAMESPACES_FLAG: FlagSpecs = {
  'all-namespaces': { type: 'boolean', short: 'A', help: 'those of all namespaces' },
}

export const FILE_FLAGS: FlagSpecs = {
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE',
    help: 'a file of YAML or JSON, a directory of them, or - for stdin; may be given several times',
  },
  recursive: { type: 'boolean', short: 'R', help: 'also the directories below' },
}

/** Of commands on a container: which one of a pod is meant. */
export const CONTAINER_FLAGS: FlagSpecs = {
  container: { type: 'string', short: 'c', value: 'POD_CONTAINER', help: 'of a pod: which of its containers' },
  namespace: { ...NAMESPACE_FLAG['namespace']!, help: `of a pod: its namespace (default ${DEFAULT_NAMESPACE})` },
}
