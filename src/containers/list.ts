import { hasCode } from '../lib/errors.ts'
import { type Container, containerState } from '../model/container.ts'
import { matchesLabels } from '../model/label-term.ts'
import type { Network } from '../model/network.ts'
import type { Store } from '../store/index.ts'
import type { Deps } from './deps.ts'
import type { ContainerFilter, NetworkFilter } from './types.ts'

/** In order of creation. Of one kind of filter one value must hold, and every kind that is given. */
export function listContainers(
  deps: Pick<Deps, 'store' | 'images'>,
  { ids, names, labels, states, images, networks, exitCodes, infra }: ContainerFilter,
): Container[] {
  const imageIds = images?.flatMap((reference) => idOfImage(deps, reference))
  const sandboxes = networks === undefined ? undefined : sandboxesIn(deps, networks)
  return deps.store
    .read((tx) => tx.list('Container'))
    .filter(
      ({ metadata, spec, status }) =>
        (infra === undefined || spec.pod?.role !== 'infra') &&
        (states === undefined || states.includes(containerState(status))) &&
        (ids === undefined || ids.some((id) => metadata.uid.startsWith(id))) &&
        (names === undefined || names.some((pattern) => matchesName(metadata.name, pattern))) &&
        (labels === undefined || matchesLabels(metadata.labels, labels)) &&
        (imageIds === undefined || images!.includes(spec.image) || imageIds.includes(spec.imageId)) &&
        (sandboxes === undefined || sandboxes.has(spec.sandboxId)) &&
        (exitCodes === undefined ||
          (containerState(status) === 'stopped' && exitCodes.includes(status.exitCode ?? Number.NaN))),
    )
}

export function listNetworks(store: Store, { names, labels, unused }: NetworkFilter): Network[] {
  return store.read((tx) => {
    const used = new Set(tx.list('Sandbox').flatMap(({ spec }) => spec.attachments.map(({ network }) => network)))
    return tx
      .list('Network')
      .filter(
        ({ metadata }) =>
          (names === undefined || names.some((pattern) => matchesName(metadata.name, pattern))) &&
          (labels === undefined || matchesLabels(metadata.labels, labels)) &&
          (unused === undefined || unused !== used.has(metadata.name)),
      )
  })
}

/** A part of a name; `^` and `$` at its ends mean those of the name, and a `/` before it nothing, as to docker. */
function matchesName(name: string, pattern: string): boolean {
  const [atStart, atEnd] = [pattern.startsWith('^'), pattern.endsWith('$')]
  const part = pattern.slice(atStart ? 1 : 0, atEnd ? -1 : undefined).replace(/^\//, '')
  if (atStart && atEnd) return name === part
  return atStart ? name.startsWith(part) : atEnd ? name.endsWith(part) : name.includes(part)
}

function idOfImage({ images }: Pick<Deps, 'images'>, reference: string): string[] {
  try {
    return [images.get(reference).spec.config.digest]
  } catch (error) {
    if (hasCode(error, 'not_found')) return []
    throw error
  }
}

function sandboxesIn({ store }: Pick<Deps, 'store'>, networks: readonly string[]): ReadonlySet<string> {
  return new Set(
    store
      .read((tx) => tx.list('Sandbox'))
      .filter(({ spec }) => spec.attachments.some(({ network }) => networks.includes(network)))
      .map(({ metadata }) => metadata.uid),
  )
}
