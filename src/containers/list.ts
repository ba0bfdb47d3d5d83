import { type Container, containerState } from '../model/container.ts'
import type { Store } from '../store/index.ts'
import type { ContainerFilter } from './types.ts'

/** In order of creation. */
export function listContainers(store: Store, filter: ContainerFilter): Container[] {
  const { labels, names, image, states } = filter
  return store
    .read((tx) => tx.list('Container', labels === undefined ? {} : { labels }))
    .filter(
      ({ metadata, spec, status }) =>
        (states === undefined || states.includes(containerState(status))) &&
        (names === undefined || names.includes(metadata.name)) &&
        (image === undefined || spec.image === image),
    )
}
